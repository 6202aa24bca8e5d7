import type { AnyConverterPlugin, AnyHeaderConverterPlugin } from '@millrace/connect-api'
import { byteArrayConverter } from './bytes'
import { jsonConverter } from './json'
import { simpleHeaderConverter } from './simple-header'
import { stringConverter } from './string'

/** Every built-in converter of keys and values. A new one is added here. */
export const converters: readonly AnyConverterPlugin[] = [
  jsonConverter,
  stringConverter,
  byteArrayConverter,
]
/** Every built-in converter of headers. */
export const headerConverters: readonly AnyHeaderConverterPlugin[] = [simpleHeaderConverter]

export { byteArrayConverter, jsonConverter, simpleHeaderConverter, stringConverter }
