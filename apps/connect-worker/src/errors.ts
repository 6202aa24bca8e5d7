import { defineErrors } from '@millrace/base'

export const connectWorkerErrors = defineErrors({
  WORKER_PORT_UNAVAILABLE: {
    retriable: false,
    says: '{host}:{port} is not available for the Connect REST API: {reason}',
    todo: 'end what listens there, or choose another port with listeners (of millrace start: --connect-port)',
  },
})
