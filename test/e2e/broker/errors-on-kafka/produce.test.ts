import { compareArea } from './area'
import { produceScenarios } from './produce-cases'
import { sequenceScenarios } from './sequence-cases'

const ANSWERED = 'Kafka fails on the missing records and never answers'
const NUMBERED_ANEW =
  'Kafka means to number the records anew, as is done here, and fails on its own view of them'

compareArea('produce', [...produceScenarios, ...sequenceScenarios], {
  ourWay: {
    'null for records': ANSWERED,
    'null for records, with acks=0': ANSWERED,
    ...Object.fromEntries(
      [1, 2, 3, 4]
        .flatMap((codec) => [
          `offsets in disorder under codec ${codec}`,
          `offsets in disorder under codec ${codec}, with acks=0`,
        ])
        .map((title) => [title, NUMBERED_ANEW]),
    ),
    'compressed records backwards': NUMBERED_ANEW,
    'compressed records backwards, with acks=0': NUMBERED_ANEW,
    'a partition twice':
      'Kafka drops the first of the two unseen; here both are stored and answered',
    'records that are noise':
      'Kafka has no words for a number that does not end: UNKNOWN_SERVER_ERROR, which is retried no more than INVALID_RECORD',
  },
})
