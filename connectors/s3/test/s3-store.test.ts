import { randomBytes } from 'node:crypto'
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { failureKind, type Properties } from '@millrace/connect-api'
import { S3Store } from '../src/s3-store'
import type { SeenRequest } from './fault-proxy'
import { describeWithS3, S3Bed } from './s3-bed'
import { describeStore } from './store-suite'

const MIB = 1024 * 1024
const isPut = ({ method, url }: SeenRequest) => method === 'PUT' && !url.includes('uploadId')
const isPart = ({ method, url }: SeenRequest) => method === 'PUT' && url.includes('uploadId')
const isCompletion = ({ method, url }: SeenRequest) => method === 'POST' && url.includes('uploadId')

/** What it fails with when it does not ask to be tried again any more. */
async function untilNotRetriable(action: () => Promise<void>): Promise<unknown> {
  for (let triesLeft = 10; ; triesLeft -= 1) {
    const failure: unknown = await action().catch((error: unknown) => error)
    if (failureKind(failure) !== 'retriable' || triesLeft === 0) return failure
  }
}

describeWithS3('an S3 server as store', () => {
  let bed: S3Bed
  const stores: S3Store[] = []
  beforeAll(async () => {
    bed = await S3Bed.open()
  })
  afterAll(() => bed.close())
  beforeEach(() => bed.newBucket())
  afterEach(() => {
    for (const store of stores.splice(0)) store.close()
  })

  const aStore = (properties: Properties = {}) => {
    const store = new S3Store(bed.config(properties), { connectMs: 300, idleMs: 300 })
    stores.push(store)
    return store
  }

  describeStore(async () => {
    const store = aStore()
    await store.open()
    return {
      store,
      list: () => bed.list(),
      read: (key) => bed.read(key),
      block: async () => {
        const unblock = bed.proxy.fault('busy')
        return async () => unblock()
      },
      leftovers: () => bed.openUploads(),
      close: async () => undefined,
    }
  })

  it('names a missing bucket and a wrong key as a mistake in the configuration', async () => {
    const missing = aStore({ 's3.bucket.name': 'there-is-none' })
    await expect(missing.open()).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('create the bucket'),
    })
    const upload = missing.createObject('a')
    await upload.write([Buffer.from('x')])
    await expect(upload.complete()).rejects.toMatchObject({ kind: 'configuration' })
    await expect(aStore({ 'aws.secret.access.key': 'wrong' }).open()).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('aws.secret.access.key'),
    })
    await expect(aStore({ 'aws.access.key.id': 'nobody' }).open()).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('aws.access.key.id'),
    })
  })

  it('never tells the secret in an error', async () => {
    const failure = await aStore({ 'aws.secret.access.key': 'wr0ng-secret' })
      .open()
      .catch((error: unknown) => error)
    expect(JSON.stringify(failure) + String(failure)).not.toContain('wr0ng-secret')
  })

  it('may pass by itself: nobody listens, the server is busy, cuts off or hangs', async () => {
    const nobody = aStore({ 'store.url': 'http://127.0.0.1:1' })
    await expect(nobody.open()).rejects.toMatchObject({
      kind: 'retriable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    for (const kind of ['busy', 'cut', 'hang'] as const) {
      const end = bed.proxy.fault(kind)
      await expect(aStore().open()).rejects.toMatchObject({ kind: 'retriable' })
      end()
    }
  })

  it('gives up on a server that hangs after its time-outs, not later', async () => {
    const upload = aStore().createObject('a')
    await upload.write([Buffer.from('x')])
    bed.server.pause()
    const startedMs = performance.now()
    await expect(upload.complete()).rejects.toMatchObject({ kind: 'retriable' })
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    bed.server.resume()
    await upload.complete()
    expect(await bed.list()).toEqual(['a'])
  })

  it.each([
    ['a PUT', isPut, 100],
    ['a part', isPart, 11 * MIB],
    ['the completion', isCompletion, 11 * MIB],
  ])('survives that the reply to %s is lost', async (_what, isMeant, size) => {
    for (const retries of ['0', '2']) {
      const bytes = randomBytes(size)
      const upload = aStore({ 's3.part.retries': retries }).createObject(`a-${retries}`)
      const end = bed.proxy.fault('lose-reply', isMeant, 1)
      const failures: unknown[] = []
      const untilDone = async (step: () => Promise<void>) => {
        for (let isDone = false; !isDone; )
          await step().then(
            () => (isDone = true),
            (error: unknown) => failures.push(error),
          )
      }
      const chunks = [bytes]
      await untilDone(() => upload.write(chunks.splice(0)))
      await untilDone(() => upload.complete())
      end()
      expect(failures).toHaveLength(retries === '0' ? 1 : 0)
      expect((await bed.read(`a-${retries}`)).equals(bytes)).toBe(true)
    }
    expect(await bed.openUploads()).toEqual([])
  })

  it('fails for good when somebody removed the parts, rather than take an older object for its own', async () => {
    const older = aStore().createObject('a')
    await older.write([randomBytes(6 * MIB)])
    await older.complete()
    const upload = aStore().createObject('a')
    await upload.write([randomBytes(6 * MIB)])
    const { Uploads } = await bed.client.send(
      new ListMultipartUploadsCommand({ Bucket: bed.bucket }),
    )
    const { UploadId } = Uploads![0]
    await bed.client.send(
      new AbortMultipartUploadCommand({ Bucket: bed.bucket, Key: 'a', UploadId }),
    )
    // A server that answers before it took the whole part may look like a lost connection at first.
    const failure = await untilNotRetriable(() => upload.complete())
    expect(failure).toMatchObject({ kind: 'fatal' })
  })

  it('sends smaller parts when many objects are open, so that memory stays bounded', async () => {
    const store = aStore({ 's3.part.size': String(100 * MIB) })
    const uploads = Array.from({ length: 20 }, (_, index) => store.createObject(`o-${index}`))
    const piece = randomBytes(3 * MIB)
    for (let round = 0; round < 4; round += 1)
      for (const upload of uploads) await upload.write([piece])
    expect(bed.proxy.seen.some(({ url }) => url.includes('partNumber=1'))).toBe(true)
    for (const upload of uploads) await upload.complete()
    for (const index of [0, 19]) {
      const bytes = await bed.read(`o-${index}`)
      expect(bytes.equals(Buffer.concat([piece, piece, piece, piece]))).toBe(true)
    }
  })
})
