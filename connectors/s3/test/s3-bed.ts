import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import { parseConfig, type Properties } from '@millrace/connect-api'
import { findS3, type S3Server, startS3 } from '../../../test/peers/s3'
import { options, type S3Config } from '../src/options'
import { type FaultProxy, startFaultProxy } from './fault-proxy'

/** `describe` where a real S3 server can be had, else a skipped one that says what is missing. */
export function describeWithS3(title: string, run: () => void): void {
  const home = findS3()
  if ('missing' in home) describe.skip(`${title} (missing: ${home.missing})`, run)
  else describe(title, run)
}

/** A real S3 server behind a proxy that makes trouble, and a client that goes past the proxy. */
export class S3Bed {
  readonly server: S3Server
  readonly proxy: FaultProxy
  readonly client: S3Client
  bucket = ''
  #bucketCount = 0

  private constructor(server: S3Server, proxy: FaultProxy) {
    this.server = server
    this.proxy = proxy
    this.client = new S3Client({
      endpoint: server.url,
      region: server.region,
      forcePathStyle: true,
      credentials: server,
    })
  }

  /** @throws if there is no server: use `describeWithS3` */
  static async open(): Promise<S3Bed> {
    const home = findS3()
    if ('missing' in home) throw new Error(home.missing)
    const server = await startS3(home)
    return new S3Bed(server, await startFaultProxy(server.url))
  }

  /** Goes on with an empty bucket. */
  async newBucket(): Promise<void> {
    this.#bucketCount += 1
    this.bucket = `bucket-${this.#bucketCount}`
    await this.client.send(new CreateBucketCommand({ Bucket: this.bucket }))
  }

  properties(more: Properties = {}): Properties {
    return {
      's3.bucket.name': this.bucket,
      's3.region': this.server.region,
      'store.url': this.proxy.url,
      'aws.access.key.id': this.server.accessKeyId,
      'aws.secret.access.key': this.server.secretAccessKey,
      's3.part.size': String(5 * 1024 * 1024),
      's3.part.retries': '1',
      'flush.size': '10',
      ...more,
    }
  }

  config(more: Properties = {}): S3Config {
    const { config, problems } = parseConfig(options, this.properties(more))
    if (problems.length > 0) throw new Error(JSON.stringify(problems))
    return config
  }

  async list(): Promise<string[]> {
    const { Contents = [] } = await this.client.send(
      new ListObjectsV2Command({ Bucket: this.bucket }),
    )
    return Contents.map(({ Key }) => Key ?? '').sort()
  }

  async read(Key: string): Promise<Buffer> {
    const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }

  /** Keys of multipart uploads that were neither completed nor aborted. */
  async openUploads(): Promise<string[]> {
    const { Uploads = [] } = await this.client.send(
      new ListMultipartUploadsCommand({ Bucket: this.bucket }),
    )
    return Uploads.map(({ Key }) => Key ?? '')
  }

  async close(): Promise<void> {
    this.client.destroy()
    await this.proxy.close()
    await this.server.stop()
  }
}
