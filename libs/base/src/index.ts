export { systemClock, type Clock, type Timer } from './clock'
export { type Disk, type DiskFile } from './disk'
export {
  defineErrors,
  errorCode,
  errorMessage,
  invariant,
  PlatformError,
  type ErrorParams,
  type ErrorRow,
  type ErrorTable,
} from './errors'
export { systemRandom, type Random } from './random'
export { newUuid, ZERO_UUID } from './uuid'
