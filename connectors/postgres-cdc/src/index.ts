import type { ConnectorPlugin } from '@millrace/connect-api'
import { postgresCdc } from './plugin'

export const plugins: readonly ConnectorPlugin[] = [postgresCdc]
export { postgresCdc }
