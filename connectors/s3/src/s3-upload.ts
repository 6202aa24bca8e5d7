import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type ObjectCannedACL,
  PutObjectCommand,
  type S3Client,
  type ServerSideEncryption,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { RetriableError } from '@millrace/connect-api'
import { MIN_PART_BYTES } from './options'
import { attempt, errorName } from './s3-errors'
import type { ObjectUpload } from './store'

/** When all open objects together hold more than this, they send the smallest parts that S3 takes. */
const HELD_BYTES_MAX = 128 * 1024 * 1024
/** Giving up must not take long: what is left behind costs space only. */
const ABORT_MAX_MS = 5_000

export interface ObjectSettings {
  readonly ACL?: ObjectCannedACL
  readonly ServerSideEncryption?: ServerSideEncryption
  readonly SSEKMSKeyId?: string
}

/** What the uploads of one store share. */
export interface UploadContext {
  readonly client: S3Client
  readonly settings: ObjectSettings
  readonly partBytes: number
  /** Bytes that all uploads hold and no server has yet. */
  readonly held: { bytes: number }
}

interface ObjectId {
  readonly Bucket: string
  readonly Key: string
}

/** A small object is one PUT; a large one is a multipart upload, begun when the first part is full. */
export class S3Upload implements ObjectUpload {
  readonly #context: UploadContext
  readonly #id: ObjectId
  #pending: Buffer[] = []
  #pendingBytes = 0
  #uploadId: string | null = null
  #chosenPartBytes: number | null = null
  /** ETags of the parts that the server holds, in order. A part leaves `pending` only when it is here. */
  readonly #etags: string[] = []

  constructor(context: UploadContext, id: ObjectId) {
    this.#context = context
    this.#id = id
  }

  async write(chunks: readonly Buffer[]): Promise<void> {
    for (const chunk of chunks) {
      this.#pending.push(chunk)
      this.#hold(chunk.length)
    }
    while (this.#pendingBytes >= this.#partBytes) await this.#uploadPart()
  }

  async complete(): Promise<void> {
    if (this.#uploadId === null) return this.#putWhole()
    while (this.#pendingBytes > 0) await this.#uploadPart()
    await this.#completeParts(this.#uploadId)
  }

  async abort(): Promise<void> {
    this.#pending = []
    this.#hold(-this.#pendingBytes)
    if (this.#uploadId === null) return
    const command = new AbortMultipartUploadCommand({ ...this.#id, UploadId: this.#uploadId })
    try {
      await this.#context.client.send(command, { abortSignal: AbortSignal.timeout(ABORT_MAX_MS) })
    } catch {
      // The bucket's lifecycle rule for incomplete uploads removes it.
    }
  }

  /** Chosen once: some servers insist that all parts but the last are of one size. */
  get #partBytes(): number {
    if (this.#chosenPartBytes !== null) return this.#chosenPartBytes
    const { partBytes, held } = this.#context
    return held.bytes > HELD_BYTES_MAX ? MIN_PART_BYTES : partBytes
  }

  #hold(bytes: number): void {
    this.#pendingBytes += bytes
    this.#context.held.bytes += bytes
  }

  async #putWhole(): Promise<void> {
    const Body = this.#joinPending()
    const command = { ...this.#id, ...this.#context.settings, Body, ContentLength: Body.length }
    await this.#send('storing', (client) => client.send(new PutObjectCommand(command)))
    this.#pending = []
    this.#hold(-Body.length)
  }

  async #uploadPart(): Promise<void> {
    this.#chosenPartBytes ??= this.#partBytes
    this.#uploadId ??= await this.#createUpload()
    const whole = this.#joinPending()
    const Body = whole.subarray(0, this.#chosenPartBytes)
    const command = {
      ...this.#id,
      UploadId: this.#uploadId,
      PartNumber: this.#etags.length + 1,
      Body,
      ContentLength: Body.length,
    }
    const { ETag } = await this.#send('uploading a part of', (client) =>
      client.send(new UploadPartCommand(command)),
    )
    if (ETag === undefined)
      throw new RetriableError(`the server gave no ETag for a part of ${this.#id.Key}`)
    this.#etags.push(ETag)
    // A copy: a view would keep the whole part in memory.
    this.#pending = whole.length === Body.length ? [] : [Buffer.from(whole.subarray(Body.length))]
    this.#hold(-Body.length)
  }

  async #createUpload(): Promise<string> {
    const { UploadId } = await this.#send('beginning', (client) =>
      client.send(new CreateMultipartUploadCommand({ ...this.#id, ...this.#context.settings })),
    )
    if (UploadId === undefined)
      throw new RetriableError(`the server gave no upload id for ${this.#id.Key}`)
    return UploadId
  }

  async #completeParts(UploadId: string): Promise<void> {
    const Parts = this.#etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }))
    const command = { ...this.#id, UploadId, MultipartUpload: { Parts } }
    await this.#send('completing', async (client) => {
      try {
        await client.send(new CompleteMultipartUploadCommand(command))
      } catch (error) {
        // An earlier call may have completed it and only its answer was lost.
        if (errorName(error) !== 'NoSuchUpload' || !(await this.#isThere(client))) throw error
      }
    })
  }

  async #isThere(client: S3Client): Promise<boolean> {
    try {
      const { ETag } = await client.send(new HeadObjectCommand(this.#id))
      return ETag === etagOfParts(this.#etags)
    } catch (error) {
      if (errorName(error) === 'NotFound') return false
      throw error
    }
  }

  /** One buffer; a retry finds it already joined. */
  #joinPending(): Buffer {
    if (this.#pending.length !== 1) this.#pending = [Buffer.concat(this.#pending)]
    return this.#pending[0]
  }

  #send<T>(verb: string, request: (client: S3Client) => Promise<T>): Promise<T> {
    const { Bucket, Key } = this.#id
    return attempt(`${verb} ${Bucket}/${Key}`, () => request(this.#context.client))
  }
}

/** The ETag that S3 gives an object of parts: the MD5 of their MD5s. */
function etagOfParts(etags: readonly string[]): string {
  const hash = createHash('md5')
  for (const etag of etags) hash.update(etag.replaceAll('"', ''), 'hex')
  return `"${hash.digest('hex')}-${etags.length}"`
}
