import {
  ListObjectsV2Command,
  type ObjectCannedACL,
  S3Client,
  type ServerSideEncryption,
} from '@aws-sdk/client-s3'
import type { S3Config } from './options'
import { attempt, errorName } from './s3-errors'
import { type ObjectSettings, S3Upload, type UploadContext } from './s3-upload'
import type { ObjectStore, ObjectUpload } from './store'

/** Limits of one request; the client repeats it `s3.part.retries` times. */
export interface S3Timeouts {
  readonly connectMs: number
  /** No byte in either direction for so long. */
  readonly idleMs: number
}
const TIMEOUTS: S3Timeouts = { connectMs: 5_000, idleMs: 30_000 }

/** A bucket of S3 or of a server that speaks its protocol. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #uploads: UploadContext

  constructor(config: S3Config, timeouts: S3Timeouts = TIMEOUTS) {
    this.#bucket = config.bucket
    this.#client = createClient(config, timeouts)
    this.#uploads = {
      client: this.#client,
      settings: objectSettings(config),
      partBytes: config.partBytes,
      held: { bytes: 0 },
    }
  }

  /** Lists rather than looks with HEAD, whose answer has no body to say what is wrong. */
  async open(): Promise<void> {
    await attempt(`looking at bucket ${this.#bucket}`, async () => {
      try {
        await this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, MaxKeys: 1 }))
      } catch (error) {
        // The key is known but may not list: writing needs no more.
        if (errorName(error) !== 'AccessDenied') throw error
      }
    })
  }

  createObject(key: string): ObjectUpload {
    return new S3Upload(this.#uploads, { Bucket: this.#bucket, Key: key })
  }

  close(): void {
    this.#client.destroy()
  }
}

function createClient(config: S3Config, timeouts: S3Timeouts): S3Client {
  return new S3Client({
    region: config.region,
    forcePathStyle: config.isPathStyle,
    maxAttempts: config.partRetries + 1,
    requestHandler: { connectionTimeout: timeouts.connectMs, socketTimeout: timeouts.idleMs },
    // Checksums in trailers are an extension that many compatible servers refuse.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(config.storeUrl !== null && { endpoint: config.storeUrl }),
    ...(config.accessKeyId !== null && {
      credentials: {
        accessKeyId: config.accessKeyId,
        secretAccessKey: config.secretAccessKey?.reveal() ?? '',
      },
    }),
  })
}

function objectSettings(config: S3Config): ObjectSettings {
  return {
    ...(config.aclCanned && { ACL: config.aclCanned as ObjectCannedACL }),
    ...(config.sseName && { ServerSideEncryption: config.sseName as ServerSideEncryption }),
    ...(config.sseKmsKeyId && { SSEKMSKeyId: config.sseKmsKeyId }),
  }
}
