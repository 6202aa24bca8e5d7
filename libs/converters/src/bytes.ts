import { converter, OPTIONAL_BYTES, RecordError } from '@millrace/connect-api'

/** Bytes as they are. */
export const byteArrayConverter = converter({
  name: 'bytes',
  classNames: ['org.apache.kafka.connect.converters.ByteArrayConverter'],
  version: '0.1.0',
  doc: 'Passes bytes through.',
  options: {},
  create: () => ({
    fromConnect(_topic, schema, value) {
      if (schema !== null && schema.type !== 'bytes') {
        throw new RecordError(`the schema must be bytes but is ${schema.type}`)
      }
      if (value === null || value === undefined) return null
      if (!Buffer.isBuffer(value)) throw new RecordError('the value must be a Buffer')
      return value
    },
    toConnect: (_topic, bytes) => ({ schema: OPTIONAL_BYTES, value: bytes }),
  }),
})
