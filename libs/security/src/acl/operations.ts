import { AclOperation, ResourceType } from './codes'

const { READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, CLUSTER_ACTION } = AclOperation
const { DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE, TWO_PHASE_COMMIT } = AclOperation
const { CREATE_TOKENS, DESCRIBE_TOKENS } = AclOperation

/** What can be done with a resource at all. */
const OPERATIONS: Readonly<Record<number, readonly AclOperation[]>> = {
  [ResourceType.TOPIC]: [
    READ,
    WRITE,
    CREATE,
    DELETE,
    ALTER,
    DESCRIBE,
    DESCRIBE_CONFIGS,
    ALTER_CONFIGS,
  ],
  [ResourceType.GROUP]: [READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS],
  [ResourceType.CLUSTER]: [
    CREATE,
    ALTER,
    DESCRIBE,
    CLUSTER_ACTION,
    DESCRIBE_CONFIGS,
    ALTER_CONFIGS,
    IDEMPOTENT_WRITE,
  ],
  [ResourceType.TRANSACTIONAL_ID]: [WRITE, DESCRIBE, TWO_PHASE_COMMIT],
  [ResourceType.DELEGATION_TOKEN]: [DESCRIBE],
  [ResourceType.USER]: [CREATE_TOKENS, DESCRIBE_TOKENS],
}

/** The operations of a resource type that `isAllowed`, as the bit field of an answer: the bit of each one's code. */
export function operationsOf(
  resourceType: ResourceType,
  isAllowed: (operation: AclOperation) => boolean,
): number {
  let bits = 0
  for (const operation of OPERATIONS[resourceType] ?? [])
    if (isAllowed(operation)) bits |= 1 << operation
  return bits
}
