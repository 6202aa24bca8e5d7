import { defineErrors } from '@millrace/base'

export const adminErrors = defineErrors({
  ADMIN_PORT_UNAVAILABLE: {
    retriable: false,
    says: '{host}:{port} is not available for the admin page: {reason}',
    todo: 'end what listens there, or choose another port with --admin-port',
  },
  ADMIN_CONFIG_INVALID: {
    retriable: false,
    says: 'the client configuration is not valid:\n{problems}',
    todo: 'correct the keys that are named',
  },
  ADMIN_CONNECT_URL_INVALID: {
    retriable: false,
    says: "'{url}' is not the address of a Connect worker",
    todo: 'give its REST address, such as http://127.0.0.1:8083',
  },
  ADMIN_CLUSTER_UNREACHABLE: {
    retriable: true,
    says: 'the cluster at {servers} does not answer',
    todo: 'check that a broker runs there and that the address is right',
  },
  ADMIN_CONNECT_UNREACHABLE: {
    retriable: true,
    says: 'the Connect worker at {url} does not answer',
    todo: 'check that it runs and that the address is right',
  },
})
