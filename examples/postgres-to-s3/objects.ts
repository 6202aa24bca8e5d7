/** Reads back what the sink wrote, from a folder or from S3, in the order of the offsets. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'

export interface StoredObject {
  readonly key: string
  readonly lines: readonly string[]
}

export interface ObjectReader {
  /** Where the objects are, for people. */
  readonly place: string
  /** What the sink's configuration needs to write where this reads. */
  readonly sinkConfig: Readonly<Record<string, string>>
  count(): Promise<number>
  read(): AsyncGenerator<StoredObject>
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '')

export class FolderReader implements ObjectReader {
  readonly place
  readonly sinkConfig
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = join(folder, 'archive')
    this.place = this.#folder
    this.sinkConfig = { 'store.url': `file://${folder}`, 's3.bucket.name': 'archive' }
  }

  async count(): Promise<number> {
    return (await this.#keys()).length
  }

  async *read(): AsyncGenerator<StoredObject> {
    for (const key of await this.#keys()) {
      yield { key, lines: linesOf(await readFile(join(this.#folder, key), 'utf8')) }
    }
  }

  async #keys(): Promise<string[]> {
    try {
      const names = await readdir(this.#folder, { recursive: true })
      return names.filter((name) => name.endsWith('.json')).sort()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }
}

/** A bucket of a real S3 server; without credentials, keys and region come from the usual AWS variables. */
export class BucketReader implements ObjectReader {
  readonly place
  readonly sinkConfig
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string

  constructor(
    url: string,
    bucket: string,
    prefix: string,
    credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string },
  ) {
    const region = process.env.AWS_REGION ?? 'us-east-1'
    this.#client = new S3Client({ endpoint: url, region, forcePathStyle: true, credentials })
    this.#bucket = bucket
    this.#prefix = prefix
    this.place = `${url}/${bucket}/${prefix}`
    this.sinkConfig = {
      'store.url': url,
      's3.region': region,
      's3.bucket.name': bucket,
      'topics.dir': prefix,
    }
  }

  async createBucket(): Promise<void> {
    try {
      await this.#client.send(new CreateBucketCommand({ Bucket: this.#bucket }))
    } catch (error) {
      if (!/^Bucket(AlreadyOwnedByYou|AlreadyExists)$/.test((error as Error).name)) throw error
    }
  }

  async count(): Promise<number> {
    return (await this.#keys()).length
  }

  async *read(): AsyncGenerator<StoredObject> {
    for (const key of await this.#keys()) {
      const { Body } = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: key }),
      )
      yield { key, lines: linesOf((await Body?.transformToString()) ?? '') }
    }
  }

  close(): void {
    this.#client.destroy()
  }

  async #keys(): Promise<string[]> {
    const keys: string[] = []
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: `${this.#prefix}/` },
    )
    for await (const page of pages)
      for (const { Key } of page.Contents ?? []) if (Key) keys.push(Key)
    return keys.sort()
  }
}
