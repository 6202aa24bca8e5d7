export {
  listenWorker,
  startWorker,
  type RunningWorker,
  type StartWorkerOptions,
} from './worker-app'
export { parseWorkerSettings, readWorkerProperties, type WorkerSettings } from './config'
