export { AclOperation, CLUSTER_NAME, ResourceType } from './acl-codes'
export { allowAll, type Authorizer } from './authorizer'
export { ANONYMOUS, principalText, type Principal } from './principal'
