import type { ConverterPlugin, HeaderConverterPlugin } from '@millrace/connect-api'
import { byteArrayConverter } from './bytes'
import { jsonConverter } from './json'
import { simpleHeaderConverter } from './simple-header'
import { stringConverter } from './string'

/** Every built-in converter of keys and values. A new one is added here. */
// biome-ignore lint/suspicious/noExplicitAny: the list holds converters of different options
export const converters: readonly ConverterPlugin<any>[] = [
  jsonConverter,
  stringConverter,
  byteArrayConverter,
]
/** Every built-in converter of headers. */
export const headerConverters: readonly HeaderConverterPlugin[] = [simpleHeaderConverter]

export { byteArrayConverter, jsonConverter, simpleHeaderConverter, stringConverter }
