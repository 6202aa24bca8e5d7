import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { ApiKey, apiMessages } from '@millrace/wire'
import { advertisedVersions } from './18-api-versions'
import { handlers } from './index'

const files = readdirSync(__dirname).filter((name) => /^\d\d-.*(?<!\.test)\.ts$/.test(name))

describe('the table of handlers', () => {
  it('lists the handler of each file, once', () => {
    const keysOfFiles = files.map((name) => Number(name.slice(0, 2))).sort((a, b) => a - b)
    expect(handlers.map(({ key }) => key)).toEqual(keysOfFiles)
  })

  it('advertises each key that is listed', () => {
    expect(advertisedVersions(handlers).map(({ apiKey }) => apiKey)).toEqual(
      handlers.map(({ key }) => key),
    )
  })

  it('serves every message that has a schema, in all versions of the schema', () => {
    expect(handlers.map(({ key }) => key)).toEqual(Object.keys(apiMessages).map(Number))
    for (const { served, request, response } of handlers) {
      expect({ name: request.name, ...served }).toEqual({ name: request.name, ...request.versions })
      expect(response.versions).toEqual(request.versions)
    }
  })

  it('advertises Produce from version 0, which librdkafka looks for, and the rest as served', () => {
    for (const { key, served, advertised } of handlers)
      expect({ key, ...advertised }).toEqual({
        key,
        ...served,
        ...(key === ApiKey.Produce && { min: 0 }),
      })
  })

  it.each(files)('says in the header of %s which versions it serves', (name) => {
    const text = readFileSync(join(__dirname, name), 'utf8')
    const handler = handlers.find(({ key }) => key === Number(name.slice(0, 2)))
    const { min, max } = handler?.served ?? { min: -1, max: -1 }
    expect(text).toContain(`key ${handler?.key} - served: ${min} to ${max}.`)
    expect(text).toMatch(/^ \* Does: /m)
    expect(text).toMatch(/^ \* Gaps: /m)
  })
})
