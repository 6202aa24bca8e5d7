export { startAdmin, type AdminOptions, type RunningAdmin } from './start-admin'
