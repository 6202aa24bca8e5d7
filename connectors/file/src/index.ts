import type { ConnectorPlugin } from '@millrace/connect-api'
import { fileSink } from './sink'
import { fileSource } from './source'

export const plugins: readonly ConnectorPlugin[] = [fileSource, fileSink]
