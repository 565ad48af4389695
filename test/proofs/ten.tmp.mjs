import { hostileFlowLogs } from '/work/h/flows/test/proofs/hostile-flow-logs.ts';
const t = Date.now();
const f = await hostileFlowLogs(Number(process.argv[2]));
console.log(f);
console.log((Date.now() - t) / 1000, 's', process.resourceUsage());
