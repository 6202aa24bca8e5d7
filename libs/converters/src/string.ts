import {
  converter,
  encodeSchemaless,
  OPTIONAL_STRING,
  string,
  type Value,
} from '@millrace/connect-api'

const ENCODINGS: Readonly<Record<string, BufferEncoding | undefined>> = {
  'utf-8': 'utf8',
  utf8: 'utf8',
  'us-ascii': 'ascii',
  ascii: 'ascii',
  'iso-8859-1': 'latin1',
  latin1: 'latin1',
  'utf-16le': 'utf16le',
}

/** Text. A value that is no string is written in its text form; reading always gives a string. */
export const stringConverter = converter({
  name: 'string',
  classNames: ['org.apache.kafka.connect.storage.StringConverter'],
  version: '0.1.0',
  doc: 'Text in the configured encoding.',
  options: {
    encoding: string('converter.encoding', {
      default: 'UTF-8',
      importance: 'HIGH',
      doc: 'Character set of the bytes.',
      check: (name) =>
        ENCODINGS[name.toLowerCase()] ? null : `one of ${Object.keys(ENCODINGS).join(', ')}`,
    }),
  },
  create: (config) => {
    const encoding = ENCODINGS[config.encoding.toLowerCase()] as BufferEncoding
    return {
      fromConnect: (_topic, _schema, value) =>
        value === null || value === undefined ? null : Buffer.from(textOf(value), encoding),
      toConnect: (_topic, bytes) => ({
        schema: OPTIONAL_STRING,
        value: bytes === null ? null : bytes.toString(encoding),
      }),
    }
  },
})

function textOf(value: Value): string {
  return typeof value === 'string' ? value : encodeSchemaless(value)
}
