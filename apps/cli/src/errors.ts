import { defineErrors } from '@millrace/base'

export const cliErrors = defineErrors({
  CLI_USAGE: {
    retriable: false,
    says: '{problem}',
    todo: 'see millrace {command} --help',
  },
  CLI_FILE_UNREADABLE: {
    retriable: false,
    says: 'the configuration file {path} cannot be read: {reason}',
    todo: 'check the path given to --config',
  },
  CLI_PORT_UNAVAILABLE: {
    retriable: false,
    says: '{host}:{port} is not available: {reason}',
    todo: 'end what listens there, or choose another port with {option}',
  },
  CLI_WORKER_THREAD_FAILED: {
    retriable: true,
    says: 'the worker thread ended with: {reason}',
    todo: 'it is started again; if this repeats, look at the connector that was started last',
  },
})
