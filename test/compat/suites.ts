import { connectRest } from './connect-rest/suite.ts'
import type { Suite } from './suite.ts'
import { workerOnKafka } from './worker-on-kafka/suite.ts'

/** All the suites, in the order of the report. */
export const suites: readonly Suite[] = [workerOnKafka, connectRest]
