export { jsonLines } from './json-lines'
export { type RecordFormat, type RecordWriter } from './record-format'
