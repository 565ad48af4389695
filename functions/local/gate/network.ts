/** One network behind a gate, with the names that its cloud's flow logs use. */
export interface GateNetwork {
  /** As in lockkeeper.yaml. */
  readonly name: string;
  readonly cloud: 'aws' | 'gcp' | 'azure';
  /** Account number, project id or subscription id. */
  readonly account: string;
  readonly region: string;
  /** VPC id, VPC name or virtual network name. */
  readonly network: string;
  readonly subnet: string;
  /** Id or name of the flow log (fl-… in AWS). */
  readonly flowLog: string;
}

/** A network interface behind a gate. Several services may share one. */
export interface GateInterface {
  /** The id that flow logs and openings carry: eni-… in AWS, `subnetwork/vm` in GCP, the MAC address in Azure. */
  readonly id: string;
  /** The machine it belongs to. */
  readonly machine: string;
  readonly address: string;
}

/** One TCP service behind a gate. */
export interface GateService {
  readonly name: string;
  /** Where clients find it, on 127.0.0.1. */
  readonly port: number;
  /** Where it really listens, on 127.0.0.1. */
  readonly upstream: number;
  /** Id of its interface. */
  readonly interface: string;
}
