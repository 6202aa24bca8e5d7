import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type ObjectCannedACL,
  PutObjectCommand,
  S3Client,
  type ServerSideEncryption,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { ConfigurationError, ConnectError, RetriableError } from '@millrace/connect-api'
import type { S3Config } from './options'
import type { ObjectStore, ObjectUpload } from './store'

interface ObjectSettings {
  readonly ACL?: ObjectCannedACL
  readonly ServerSideEncryption?: ServerSideEncryption
  readonly SSEKMSKeyId?: string
}

/** A bucket of S3 or of a server that speaks its protocol. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #partBytes: number
  readonly #settings: ObjectSettings

  constructor(config: S3Config) {
    this.#bucket = config.bucket
    this.#partBytes = config.partBytes
    this.#settings = {
      ...(config.aclCanned && { ACL: config.aclCanned as ObjectCannedACL }),
      ...(config.sseName && { ServerSideEncryption: config.sseName as ServerSideEncryption }),
      ...(config.sseKmsKeyId && { SSEKMSKeyId: config.sseKmsKeyId }),
    }
    this.#client = new S3Client({
      region: config.region,
      forcePathStyle: config.isPathStyle,
      maxAttempts: config.partRetries + 1,
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

  async open(): Promise<void> {
    await attempt(`looking at bucket ${this.#bucket}`, () =>
      this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket })),
    )
  }

  createObject(key: string): ObjectUpload {
    return new S3Upload(
      this.#client,
      { Bucket: this.#bucket, Key: key },
      this.#settings,
      this.#partBytes,
    )
  }

  close(): void {
    this.#client.destroy()
  }
}

interface ObjectId {
  readonly Bucket: string
  readonly Key: string
}

/** A small object is one PUT; a large one is a multipart upload, begun when the first part is full. */
class S3Upload implements ObjectUpload {
  readonly #client: S3Client
  readonly #id: ObjectId
  readonly #settings: ObjectSettings
  readonly #partBytes: number
  #pending: Buffer[] = []
  #pendingBytes = 0
  #uploadId: string | null = null
  /** ETags of the parts that the server holds, in order. A part leaves `pending` only when it is here. */
  readonly #etags: string[] = []
  #sentBytes = 0

  constructor(client: S3Client, id: ObjectId, settings: ObjectSettings, partBytes: number) {
    this.#client = client
    this.#id = id
    this.#settings = settings
    this.#partBytes = partBytes
  }

  async write(chunks: readonly Buffer[]): Promise<void> {
    for (const chunk of chunks) {
      this.#pending.push(chunk)
      this.#pendingBytes += chunk.length
    }
    while (this.#pendingBytes >= this.#partBytes) await this.#uploadPart(this.#partBytes)
  }

  async complete(): Promise<void> {
    if (this.#uploadId === null) return this.#putWhole()
    while (this.#pendingBytes > 0) await this.#uploadPart(this.#partBytes)
    const Parts = this.#etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }))
    const UploadId = this.#uploadId
    await this.#attempt('completing', async () => {
      try {
        await this.#client.send(
          new CompleteMultipartUploadCommand({ ...this.#id, UploadId, MultipartUpload: { Parts } }),
        )
      } catch (error) {
        if ((error as { name?: string }).name !== 'NoSuchUpload') throw error
        await this.#requireCompleted(error)
      }
    })
  }

  async abort(): Promise<void> {
    if (this.#uploadId === null) return
    try {
      await this.#client.send(
        new AbortMultipartUploadCommand({ ...this.#id, UploadId: this.#uploadId }),
      )
    } catch {
      // The bucket's lifecycle rule for incomplete uploads removes it.
    }
  }

  /** The upload is gone: either an earlier call completed it and only its answer was lost, or somebody aborted it. */
  async #requireCompleted(cause: unknown): Promise<void> {
    const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#id))
    if (ContentLength === this.#sentBytes) return
    throw new ConnectError('fatal', `the multipart upload of ${this.#id.Key} is gone`, { cause })
  }

  async #putWhole(): Promise<void> {
    const Body = Buffer.concat(this.#pending)
    await this.#attempt('storing', () =>
      this.#client.send(
        new PutObjectCommand({ ...this.#id, ...this.#settings, Body, ContentLength: Body.length }),
      ),
    )
  }

  async #uploadPart(maxBytes: number): Promise<void> {
    this.#uploadId ??= await this.#createUpload()
    const whole = Buffer.concat(this.#pending)
    const Body = whole.subarray(0, maxBytes)
    const { ETag } = await this.#attempt('uploading a part of', () =>
      this.#client.send(
        new UploadPartCommand({
          ...this.#id,
          UploadId: this.#uploadId as string,
          PartNumber: this.#etags.length + 1,
          Body,
          ContentLength: Body.length,
        }),
      ),
    )
    if (ETag === undefined)
      throw new RetriableError(`the server gave no ETag for a part of ${this.#id.Key}`)
    this.#etags.push(ETag)
    this.#sentBytes += Body.length
    const rest = whole.subarray(Body.length)
    this.#pending = rest.length === 0 ? [] : [rest]
    this.#pendingBytes = rest.length
  }

  async #createUpload(): Promise<string> {
    const { UploadId } = await this.#attempt('beginning', () =>
      this.#client.send(new CreateMultipartUploadCommand({ ...this.#id, ...this.#settings })),
    )
    if (UploadId === undefined)
      throw new RetriableError(`the server gave no upload id for ${this.#id.Key}`)
    return UploadId
  }

  #attempt<T>(verb: string, action: () => Promise<T>): Promise<T> {
    return attempt(`${verb} ${this.#id.Bucket}/${this.#id.Key}`, action)
  }
}

const CONFIGURATION_TODO: Readonly<Record<string, string | undefined>> = {
  NoSuchBucket: 'create the bucket or correct s3.bucket.name',
  NotFound: 'create the bucket or correct s3.bucket.name',
  AccessDenied: 'let the access key write to the bucket',
  Forbidden: 'check the access key, its secret and its rights on the bucket',
  InvalidAccessKeyId: 'check aws.access.key.id',
  SignatureDoesNotMatch: 'check aws.secret.access.key',
  CredentialsProviderError:
    'set aws.access.key.id and aws.secret.access.key, or the usual AWS variables',
  PermanentRedirect: 'set s3.region or store.url to where the bucket is',
  AuthorizationHeaderMalformed: 'set s3.region to the region of the bucket',
}

async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof ConnectError) throw cause
    const failure = cause as {
      name?: string
      message?: string
      $metadata?: { httpStatusCode?: number }
    }
    const status = failure.$metadata?.httpStatusCode
    const name =
      failure.name === undefined || failure.name === 'Unknown' || failure.name === 'Error'
        ? nameOfStatus(status)
        : failure.name
    const todo = CONFIGURATION_TODO[name]
    if (todo !== undefined)
      throw new ConfigurationError(`${what} failed (${name}): ${todo}`, { cause })
    const detail = status === undefined ? failure.message || name : `HTTP ${status} ${name}`
    throw new RetriableError(`${what} failed (${detail})`, { cause })
  }
}

/** A HEAD request has no body to say what is wrong. */
function nameOfStatus(status: number | undefined): string {
  if (status === 403) return 'Forbidden'
  return status === 404 ? 'NotFound' : 'Error'
}
