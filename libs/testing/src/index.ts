export { SimClock } from './sim-clock'
export { crashEndings, SimDisk, type DiskOperation, type SimDiskOptions } from './sim-disk'
export { SimRandom } from './sim-random'
