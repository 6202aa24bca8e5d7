import { jsonLines } from '@millrace/formats'
import { ObjectWriter } from './object-writer'
import type { ObjectUpload } from './store'
import { Uploads } from './uploads'

/** A store that can be away. */
class Store {
  isAway = false
  readonly stored: string[] = []

  object(name: string): ObjectWriter {
    const upload: ObjectUpload = {
      write: async () => undefined,
      complete: async () => {
        if (this.isAway) throw new Error(`no store for ${name}`)
        this.stored.push(name)
      },
      abort: async () => undefined,
    }
    return new ObjectWriter(upload, {
      format: jsonLines({ decimalFormat: 'NUMERIC' }),
      gzipLevel: null,
    })
  }
}

describe('uploads that failed', () => {
  it('are all made up for by one retry once the store is back', async () => {
    const store = new Store()
    const uploads = new Uploads(() => undefined)
    const owner = {}
    let storedCount = 0
    const onStored = () => (storedCount += 1)
    for (const name of ['a', 'b', 'c']) uploads.add({ owner, object: store.object(name), onStored })
    store.isAway = true
    await uploads.startWaiting()
    await new Promise((resolve) => setImmediate(resolve)) // it does not wait for their outcome
    await expect(uploads.retryFailed()).rejects.toThrow('no store for a')
    store.isAway = false
    await uploads.retryFailed()
    expect(store.stored.sort()).toEqual(['a', 'b', 'c'])
    expect(storedCount).toBe(3)
    await uploads.retryFailed() // nothing is left
  })
})
