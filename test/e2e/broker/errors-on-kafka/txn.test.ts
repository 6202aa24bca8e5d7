import { compareArea } from './area'
import { txnScenarios } from './txn-cases'

// Kafka verifies transactions of several clients together, and then tells some what the version of another would be told.
compareArea('txn', txnScenarios, { kafkaAtATime: 1 })
