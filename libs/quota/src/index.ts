export { quotaConfigDefinition } from './config'
