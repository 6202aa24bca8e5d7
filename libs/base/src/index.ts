export { systemClock, type Clock, type Timer } from './clock'
export { crc32c } from './crc32c'
export { lockDirectory, type DirectoryLock } from './directory-lock'
export { nodeHttp, type Http } from './http'
export { nodeNet, type Net, type NetAddress } from './net'
export { type Disk, type DiskFile, type DiskSpace } from './disk'
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
export { nodeDisk } from './node-disk'
export { systemRandom, type Random } from './random'
export { newUuid, ZERO_UUID } from './uuid'
export {
  unsignedVarintBytes,
  varintBytes,
  varlongBytes,
  VarintReader,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from './varint'
