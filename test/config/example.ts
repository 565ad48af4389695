/** A configuration in which everything that can be said is said, and right. */
export const example = `version: 1
stores:
  state: { kind: file-system, path: state }
  log: { kind: file-system, path: log }
secrets:
  main: { kind: local-file, path: secrets, keyFile: secrets.key }
networks:
  office:
    cloud: aws
    firewall: { kind: local-gate, url: "http://127.0.0.1:7001", tokenFile: gate.token, run: true }
    flowLogs:
      - { name: office-flows, format: aws-vpc, directory: flow-logs/aws }
services:
  - name: orders-db
    owner: payments
    network: office
    port: 5432
    forwardTo: 127.0.0.1:5433
    consumers: [orders-api]
    credential:
      engine: postgres
      strategy: alternating
      users: [orders_a, orders_b]
      ownerRole: orders_owner
      database: orders
      endpoints: ["db.internal:5433"]
      tls: { ca: ca.pem }
      admin: { user: lockkeeper, password: { file: admin.password } }
      secrets: [{ store: main, name: orders-db, form: env, userKey: PGUSER, passwordKey: PGPASSWORD }]
      propagation: 10m
      every: 2w
      timeZone: Europe/Berlin
      windows: [{ opens: "0 2 * * 1-5", lasts: 3h }]
      jitter: 30m
      refreshes: [{ kind: command, name: pool, run: [/usr/bin/systemctl, reload, pgbouncer] }, { kind: http, name: api, url: "https://orders.example/read", key: { file: api.key } }, { kind: aws-event, name: bus, bus: orders, region: eu-central-1 }]
  - { name: legacy, owner: ben, network: office, port: 8080, forwardTo: "localhost:8081", approvers: [anna] }
idlePorts:
  window: 45d
  knownSources: [10.0.0.0/8, "2001:db8::/32"]
  exemptions: [{ opening: sgr-1, until: "2027-01-01T00:00:00Z", why: yearly closing of the books }]
  freezes: [{ from: "2026-12-20T00:00:00Z", to: "2027-01-03T00:00:00+01:00", why: holidays }]
approvals: { kind: local-page, needed: 1, approvers: [anna, ben] }
schedules: { rotate: "*/5 * * * *", seal: "*/2 * * * *", head: "0 8 * * *" }
audit:
  origin: logs.example.org/lockkeeper
  key: { kind: file, path: keys/audit.key }
  witnesses:
    - { key: witness.example+4ac50073+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH, url: "https://witness.example/log" }
    - { key: other.example+fc26012d+BAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ, url: "http://127.0.0.1:7380" }
  needed: 1
  anchors:
    - { kind: gcp-storage, bucket: lockkeeper-anchor, prefix: office/ }
  verifyWith: example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
`;
