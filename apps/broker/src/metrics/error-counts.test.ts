import {
  DescribeClusterResponse,
  ErrorCode,
  MetadataResponse,
  ProduceResponse,
} from '@millrace/wire'
import { ErrorCounts } from './error-counts'

function counted(errors: ErrorCounts): Record<string, number> {
  const samples = [...errors.family().read()]
  return Object.fromEntries(samples.map(({ labels, value }) => [labels!.join(' '), value]))
}

describe('ErrorCounts', () => {
  it('counts each code of an answer that its version sends, those of partitions as well', () => {
    const errors = new ErrorCounts()
    const partitions = [
      { errorCode: ErrorCode.LISTENER_NOT_FOUND },
      { errorCode: ErrorCode.LISTENER_NOT_FOUND },
    ]
    const answer = {
      errorCode: ErrorCode.NONE,
      topics: [{ errorCode: ErrorCode.NONE, partitions }],
    }
    errors.onAnswer(MetadataResponse, 12, answer) // has no code of its own yet
    expect(counted(errors)).toEqual({ 'Metadata NONE': 1, 'Metadata LISTENER_NOT_FOUND': 2 })
    errors.onAnswer(MetadataResponse, 13, answer)
    expect(counted(errors)).toEqual({ 'Metadata NONE': 3, 'Metadata LISTENER_NOT_FOUND': 4 })
  })

  it('takes what is left out for NONE, and nothing where there is nothing', () => {
    const errors = new ErrorCounts()
    errors.onAnswer(DescribeClusterResponse, 0, {})
    errors.onAnswer(ProduceResponse, 9, { responses: [] })
    expect(counted(errors)).toEqual({ 'DescribeCluster NONE': 1 })
  })

  it('counts UNKNOWN_SERVER_ERROR, which is -1', () => {
    const errors = new ErrorCounts()
    errors.onAnswer(DescribeClusterResponse, 0, { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR })
    expect(counted(errors)).toEqual({ 'DescribeCluster UNKNOWN_SERVER_ERROR': 1 })
  })
})
