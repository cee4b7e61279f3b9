import { instanceTypes } from '../../local/ec2/catalogue.ts';
import { genericDemands } from './data/workloads.ts';
import { plannedPrice } from './fleetBench.ts';
import { medianMs } from './measure.ts';

const types = instanceTypes();
const demands = genericDemands(10_000, 1);
plannedPrice(types, demands, 64);
const peakMiB = process.resourceUsage().maxRSS / 1024;
const ms = medianMs(() => plannedPrice(types, demands, 64));
console.log(JSON.stringify({ ms, peakMiB, types: types.length }));
