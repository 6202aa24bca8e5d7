import { defineErrors } from '@millrace/base'

export const adminErrors = defineErrors({
  ADMIN_PORT_UNAVAILABLE: {
    retriable: false,
    says: '{host}:{port} is not available for the admin page: {reason}',
    todo: 'end what listens there, or choose another port with --admin-port',
  },
  ADMIN_CONNECT_UNREACHABLE: {
    retriable: true,
    says: 'the Connect worker at {url} does not answer',
    todo: 'check that it runs and that the address is right',
  },
})
