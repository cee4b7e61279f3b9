import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Store } from '../ports/store.ts';
import { acceptTask } from './acceptTask.ts';
import { addHost } from './addHost.ts';
import { agentReports } from './agentReports.ts';
import { countArrayMember, getArray, openArray } from './arrays.ts';
import { listArrivals, noteArrivals, recordArrivalsSeen } from './arrivals.ts';
import { claim } from './claim.ts';
import {
  cellCounts,
  ensureCluster,
  getCluster,
  listClusters,
  recordUsage,
  setPaused,
  setWeight,
} from './clusters.ts';
import { addDependent, listDependents, unblockTask } from './dependents.ts';
import { finishTask, requestStop, requeueTask } from './endAttempt.ts';
import { holdPlace } from './holdPlace.ts';
import { listInsufficientCapacity, rememberInsufficientCapacity } from './insufficientCapacity.ts';
import { listBlocked, listPending } from './listPending.ts';
import { closeOrder, listLastOrders, listOpenOrders, openOrder } from './orders.ts';
import { changePool, putPool, recordDisruptions, recordIdleGaps, setAlarmTarget } from './pools.ts';
import { getHost, listHosts } from './readHosts.ts';
import { getTask, getTasks } from './readTasks.ts';
import { queueTask, recordLaunch, recordLaunchUnknown, recordRunning, recordWait } from './recordProgress.ts';
import { registerHost } from './registerHost.ts';
import { releaseClaims } from './releaseClaims.ts';
import { removeHost } from './removeHost.ts';
import { defaultRetryBounds, type RetryBounds } from './retry.ts';
import { freeSeats, listSeats } from './seats.ts';
import { setHostState } from './setHostState.ts';
import type { Table } from './tableAccess.ts';

export interface DynamoStoreOptions {
  readonly client: DynamoDBClient;
  /** The table's name. */
  readonly table: string;
  readonly retry?: RetryBounds;
  /** Epoch ms; how old what is remembered of agents' reports is. */
  readonly now?: () => number;
}

/** The record of everything in one DynamoDB table (`tableDefinition`). */
export function createDynamoStore({ client, table: name, retry, now = Date.now }: DynamoStoreOptions): Store {
  const cells = cellCounts();
  const table: Table = {
    client,
    name,
    retry: retry ?? defaultRetryBounds,
    cellsOf: (cluster) => cells(table, cluster),
  };
  return {
    acceptTask: acceptTask(table),
    getTask: getTask(table),
    getTasks: getTasks(table),
    listPending: listPending(table),
    listBlocked: listBlocked(table),
    addDependent: addDependent(table),
    listDependents: listDependents(table),
    unblockTask: unblockTask(table),
    queueTask: queueTask(table),
    recordWait: recordWait(table),
    recordLaunch: recordLaunch(table),
    recordLaunchUnknown: recordLaunchUnknown(table),
    recordRunning: recordRunning(table),
    finishTask: finishTask(table),
    requeueTask: requeueTask(table),
    requestStop: requestStop(table),
    noteArrivals: noteArrivals(table),
    listArrivals: listArrivals(table),
    recordArrivalsSeen: recordArrivalsSeen(table),
    openArray: openArray(table),
    getArray: getArray(table),
    countArrayMember: countArrayMember(table),
    listSeats: listSeats(table),
    freeSeats: freeSeats(table),
    listHosts: listHosts(table, agentReports(table, now)),
    getHost: getHost(table),
    addHost: addHost(table),
    registerHost: registerHost(table),
    setHostState: setHostState(table),
    claim: claim(table),
    holdPlace: holdPlace(table),
    releaseClaims: releaseClaims(table),
    removeHost: removeHost(table),
    getCluster: getCluster(table),
    listClusters: listClusters(table),
    ensureCluster: ensureCluster(table),
    putPool: putPool(table),
    changePool: changePool(table),
    setAlarmTarget: setAlarmTarget(table),
    recordDisruptions: recordDisruptions(table),
    recordIdleGaps: recordIdleGaps(table),
    setPaused: setPaused(table),
    setWeight: setWeight(table),
    recordUsage: recordUsage(table),
    openOrder: openOrder(table),
    closeOrder: closeOrder(table),
    listOpenOrders: listOpenOrders(table),
    listLastOrders: listLastOrders(table),
    rememberInsufficientCapacity: rememberInsufficientCapacity(table),
    listInsufficientCapacity: listInsufficientCapacity(table),
  };
}
