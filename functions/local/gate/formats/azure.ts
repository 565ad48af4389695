import { sha256 } from '../../../../shared/base/canonical.ts';
import { minute } from '../../../../shared/base/time.ts';
import type { FlowSlice } from '../flow-table.ts';
import type { GateInterface, GateNetwork } from '../network.ts';
import type { FlowLogFormat, LoggedInterval, RenderedObject } from './format.ts';

/**
 * Azure virtual network flow log, version 4: one blob an interface and hour that grows by one record an interval,
 * `flowLogResourceID=/{SUB}_NETWORKWATCHERRG/NETWORKWATCHER_{REGION}_{LOG}/y=/m=/d=/h=/m=00/macAddress={MAC}/PT1H.json`.
 * A tuple tells both directions: B begins without counters, C and E carry what came since, D was denied. An interface
 * without traffic has no record; one of which records were lost has one that says so (`logStatus`).
 */
export function azureFormat(network: GateNetwork, interfaces: readonly GateInterface[]): FlowLogFormat {
  return (_window, intervals) =>
    intervals.flatMap((interval) =>
      interfaces.flatMap((one): readonly RenderedObject[] => {
        const records = interval.silent.has(one.id) ? [] : recordsOf(network, one, interval);
        return records.length === 0 ? [] : [{ path: () => blobPath(network, one, interval), records }];
      }),
    );
}

function recordsOf(network: GateNetwork, one: GateInterface, interval: LoggedInterval): readonly string[] {
  const slices = interval.slices.filter((slice) => slice.service.interface === one.id);
  const flows = slices.length === 0 ? [] : [logRecord(network, one, { to: interval.to, slices })];
  const lost = interval.skipped.has(one.id) ? [lostRecord(network, one, interval)] : [];
  return [...flows, ...lost].map((record) => JSON.stringify(record));
}

/** A record without flows that says what the cloud cannot say: records of this time are missing. */
function lostRecord(network: GateNetwork, one: GateInterface, { from, to }: LoggedInterval) {
  const record = logRecord(network, one, { to, slices: [] });
  const [time, startTime] = [new Date(to - 1).toISOString(), new Date(from).toISOString()];
  return { ...record, time, startTime, logStatus: 'SKIPDATA', flowRecords: { flows: [] } };
}

function blobPath(network: GateNetwork, one: GateInterface, interval: LoggedInterval): string {
  const time = new Date(interval.from).toISOString();
  const log = `${network.account}_NETWORKWATCHERRG/NETWORKWATCHER_${network.region}_${network.flowLog}`.toUpperCase();
  const hours = `y=${time.slice(0, 4)}/m=${time.slice(5, 7)}/d=${time.slice(8, 10)}/h=${time.slice(11, 13)}/m=00`;
  return `flowLogResourceID=/${log}/${hours}/macAddress=${one.id}/PT1H.json`;
}

/** The record is written a minute after its interval, as the cloud does. */
function logRecord(
  network: GateNetwork,
  one: GateInterface,
  { to, slices }: { readonly to: number; readonly slices: readonly FlowSlice[] },
) {
  const watcher = `/subscriptions/${network.account}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_${network.region}`;
  const rules = Map.groupBy(slices, (slice) =>
    slice.rule === undefined ? 'DefaultRule_DenyAllInBound' : `UserRule_${slice.rule}`,
  );
  return {
    time: new Date(to + minute).toISOString(),
    flowLogVersion: 4,
    flowLogGUID: guid(`${network.account}/${network.flowLog}`),
    macAddress: one.id,
    category: 'FlowLogFlowEvent',
    flowLogResourceID: `${watcher}/flowLogs/${network.flowLog}`.toUpperCase(),
    targetResourceID: `/subscriptions/${network.account}/resourceGroups/lockkeeper/providers/Microsoft.Network/virtualNetworks/${network.network}`,
    operationName: 'FlowLogFlowEvent',
    flowRecords: {
      flows: [
        {
          aclID: guid(`${network.account}/${network.subnet}`),
          flowGroups: [...rules].map(([rule, group]) => ({
            rule,
            flowTuples: group.flatMap((slice) => tuples(one, slice)),
          })),
        },
      ],
    },
  };
}

function tuples(one: GateInterface, slice: FlowSlice): readonly string[] {
  const tuple = (at: number, state: string, counters: readonly number[]): string =>
    [at, slice.peer, one.address, slice.peerPort, slice.service.port, 6, 'I', state, 'NX', ...counters].join(',');
  const none = [0, 0, 0, 0];
  if (slice.outcome === 'rejected') return [tuple(slice.first, 'D', none)];
  const counters = [slice.received.packets, slice.received.bytes, slice.sent.packets, slice.sent.bytes];
  const begin = slice.begins ? [tuple(slice.first, 'B', none)] : [];
  return [...begin, tuple(slice.last, slice.ends ? 'E' : 'C', counters)];
}

function guid(of: string): string {
  return sha256(of).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
