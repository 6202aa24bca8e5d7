import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { type ConnectorPlugin, sinkConnector } from '@millrace/connect-api'
import { FolderStore } from './folder-store'
import { options, type S3Config, validate } from './options'
import { S3Store } from './s3-store'
import type { ObjectStore } from './store'
import { S3SinkTask } from './task'

/** Writes topics into objects of S3 or files of a folder. */
export const s3Sink = sinkConnector({
  name: 's3',
  classNames: ['io.confluent.connect.s3.S3SinkConnector'],
  version: '0.1.0',
  doc: 'Writes the records of topics into objects of an S3 bucket, or into files of a folder.',
  options,
  validate,
  createTask: (config, context) => new S3SinkTask(config, context, createStore(config)),
})

export const plugins: readonly ConnectorPlugin[] = [s3Sink]

/** `file:///data` and bucket `shop` is the folder /data/shop, as a path-style URL would have it. */
function createStore(config: S3Config): ObjectStore {
  if (!config.storeUrl?.startsWith('file:')) return new S3Store(config)
  return new FolderStore(join(fileURLToPath(config.storeUrl), config.bucket))
}
