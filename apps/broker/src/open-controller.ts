import { resolve } from 'node:path'
import {
  errorCode,
  errorMessage,
  lockDirectory,
  type Clock,
  type Disk,
  type Random,
} from '@millrace/base'
import { Controller } from '@millrace/controller'
import { EmbeddedStore } from '@millrace/coordination'
import { logConfigDefinition } from '@millrace/log'
import type { Logger } from '@millrace/telemetry'
import type { BrokerConfig } from './config'
import { brokerErrors } from './errors'
import { addFirstUsers } from './security/scram-bootstrap'
import { sweepExpiredTokens } from './security/token-expiry'

const METADATA_DIRECTORY = 'metadata'

/** Takes hold of the directories, then opens the metadata in them: what a broker has to know before it opens a log. */
export async function openController(
  deps: {
    clock: Clock
    disk: Disk
    random: Random
    logger: Logger
    closers: { add(name: string, close: () => void | Promise<void>): void }
  },
  { values }: BrokerConfig,
): Promise<Controller> {
  const { clock, disk, random, logger, closers } = deps
  const metadataLogDir = values.metadataLogDir ?? values.logDirs[0]
  const directories = [...values.logDirs, metadataLogDir].map((directory) => resolve(directory))
  for (const directory of new Set(directories)) {
    try {
      await makeDirectory(disk, directory)
      const lock = lockDirectory(directory)
      closers.add(`lock of ${directory}`, () => lock.release())
    } catch (error) {
      const isNeeded = directory === resolve(metadataLogDir)
      if (isNeeded || errorCode(error) === 'BASE_DIRECTORY_LOCKED') throw error
      // The log manager takes it offline, and the others are served.
      logger.error('a log directory cannot be used', { directory, error })
    }
  }
  const store = await EmbeddedStore.open(
    { disk, logger },
    { directory: `${metadataLogDir}/${METADATA_DIRECTORY}` },
  )
  closers.add('metadata store', () => store.close())
  const controller = await Controller.open(
    { store, random, logger },
    {
      nodeId: values.nodeId,
      partitions: values.numPartitions,
      replicationFactor: values.defaultReplicationFactor,
      topicConfigs: logConfigDefinition,
    },
  )
  closers.add('controller', () => controller.close())
  await addFirstUsers({ controller, logger }, values.scramBootstrapCredentials)
  const intervalMs = values.delegationTokenExpiryCheckIntervalMs
  closers.add('token sweep', sweepExpiredTokens({ controller, clock, logger }, intervalMs))
  return controller
}

async function makeDirectory(disk: Disk, directory: string): Promise<void> {
  try {
    await disk.makeDirectory(directory)
  } catch (cause) {
    throw brokerErrors.create(
      'BROKER_DIRECTORY_UNUSABLE',
      { directory, reason: errorMessage(cause) },
      { cause },
    )
  }
}
