// Types of Fanfare's JavaScript client, and what its calls promise. The wire protocol under it is
// docs/protocol-websocket.md; complete pages that use it are in docs/javascript.md.

/**
 * Connects to a broker and stays connected: after a cut it comes back, subscribes again, continues every
 * subscription where it was cut, and joins again. Throws only if the address is not one.
 */
export function connect(url: string, options?: Options): Chat

export interface Options {
  /** The class to connect with, for environments that have none of their own (Node before 22: the package ws). */
  WebSocket?: new (url: string) => unknown
  /** Bounds of the wait before the next attempt, in ms: 500 and 15000. It doubles with every failure, less up to half by chance. */
  backoff?: { min?: number; max?: number }
  /** How many requests may wait for a connection: 100. One more is rejected with the code 'full'. */
  queue?: number
}

/**
 * connecting: an attempt runs, for at most 10 s. open: welcomed. waiting: for the next attempt.
 * closed: for good, by close() or because the broker said that trying again is of no use.
 */
export type State = 'connecting' | 'open' | 'waiting' | 'closed'

export interface StateDetail {
  /** waiting: ms until the next attempt. */
  wait?: number
  /** waiting, closed: the close code (1006: no goodbye) and its reason. */
  code?: number
  reason?: string
}

export interface Chat {
  readonly state: State
  /** The name under which this connection is a member of channels; another one after a reconnect, unless it has a user. */
  readonly user: string | undefined

  /**
   * Subscribes to a channel. The handler gets the replay, if one was asked for, then the retained message,
   * then every message as it is published, in the broker's order, none twice. After a cut it first gets what
   * was missed; where that is not possible the room says 'gap'. One subscription per channel: a second one
   * throws until the first is unsubscribed.
   */
  subscribe<T = any>(channel: string, handler: (m: Message<T>) => void, options?: SubscribeOptions): Room<T>

  /**
   * Subscribes to all channels that match a pattern, as Redis' PSUBSCRIBE does: '*' any text, '?' one byte,
   * '[a-c]' one of these. It is a subscription of its own: a channel that is also subscribed by name is delivered by both.
   */
  psubscribe<T = any>(pattern: string, handler: (m: Message<T>) => void, options?: PatternOptions): Pattern

  /**
   * Publishes JSON, or bytes if data is an ArrayBuffer or a view of one. While there is no connection it waits
   * for one, in order. Rejects with a Fault. If the connection ends before the answer the outcome is unknown:
   * with a key the publish is repeated on the next connection and takes effect once, without one it is
   * rejected with the code 'lost'.
   */
  publish(channel: string, data: unknown, options?: PublishOptions): Promise<Receipt>

  /** Tries to connect at once instead of later; of an open connection it asks for a sign of life within 10 s. The waits begin anew. The browser's event online does the same. */
  retry(): void

  /** Closes for good. Memberships end at once, what is not answered is rejected with the code 'closed'. */
  close(): void

  /** Each returns a function that takes the listener away. */
  on(event: 'open', listener: () => void): () => void
  /** The connection ended, other than by close(). */
  on(event: 'close', listener: (e: { code: number; reason: string }) => void): () => void
  on(event: 'state', listener: (state: State, detail: StateDetail) => void): () => void
  /** Errors that belong to no request. Without a listener they are written to the console. */
  on(event: 'error', listener: (e: Fault) => void): () => void
}

export interface PatternOptions {
  /** false: without the retained messages of matching channels. */
  retained?: boolean
}

export interface SubscribeOptions {
  /** Begin with the newest messages of the history, at most so many. */
  last?: number
  /** false: without the retained message. */
  retained?: boolean
  /** 'subscribed' tells who is there. */
  who?: boolean
  /** Join: true, or the data that the others see. */
  presence?: boolean | object | string | number
}

export interface Message<T = any> {
  channel: string
  /** The pattern that matched, where the subscription is one. */
  pattern?: string
  /** What was published; a Uint8Array if that is neither JSON nor text. */
  data: T
  /** ms since 1970, where known. */
  time?: number
  /** The user who published, where known. */
  from?: string
  /** The message's place in the channel's history; undefined where it is in none. Increases, but not by one. */
  offset?: number
  /** It is the channel's retained message, not a new one. */
  retained: boolean
  /** It comes out of the history: asked for by last, missed during a cut, or an entry of history(). */
  recovered: boolean
  /** How many of this subscription were left out before it, because this connection was slow and the channel's rule allows it. */
  skipped: number
}

export interface Subscribed {
  /** Undefined where no history covers the subscription: it cannot be recovered. */
  offset?: number
  /** After a cut: whether everything missed follows. Undefined on the first time, and where there is no history. */
  recovered?: boolean
  missed?: number
  /** With the option who: the members and their data. */
  who?: Members
  /** Of a pattern: there are more retained messages than the 1,000 that follow. */
  more?: boolean
}

export type Members = Record<string, any>

export interface Subscription {
  /** No handler and no listener is called after this returns; a membership ends. */
  unsubscribe(): void

  /** The broker has confirmed, now or again after a cut; replay and live messages follow. */
  on(event: 'subscribed', listener: (e: Subscribed) => void): () => void
  /** Messages are missing before what follows: so many, or -1 if nobody knows. Reload from your own back end. */
  on(event: 'gap', listener: (e: { missed: number }) => void): () => void
  /** The broker refused to subscribe or to join; it is asked again after the next reconnect. Without a listener it is written to the console. */
  on(event: 'error', listener: (e: Fault) => void): () => void
  /** History and retained message were removed. */
  on(event: 'cleared', listener: (e: { channel: string }) => void): () => void
  /** These messages were removed from the history: take them off the screen too. */
  on(event: 'forgotten', listener: (e: { channel: string; offsets: number[] }) => void): () => void
}

export interface Pattern extends Subscription {
  readonly pattern: string
}

export interface Room<T = any> extends Subscription {
  readonly channel: string

  publish(data: T, options?: PublishOptions): Promise<Receipt>
  /** Removes the retained message. */
  unretain(): Promise<void>
  /**
   * The newest messages (older than the offset before), oldest first. more: the answer was cut to about 1 MiB;
   * ask again with before the first offset.
   */
  history(options?: { limit?: number; before?: number }): Promise<Message<T>[] & { more?: boolean }>
  /** Who is there, without joining. */
  who(): Promise<Members>
  /** Becomes a member, also after a reconnect, until leave; joining again changes the data. */
  join(data?: unknown): Promise<void>
  leave(): Promise<void>

  on(event: 'subscribed', listener: (e: Subscribed) => void): () => void
  on(event: 'gap', listener: (e: { missed: number }) => void): () => void
  on(event: 'error', listener: (e: Fault) => void): () => void
  on(event: 'cleared', listener: (e: { channel: string }) => void): () => void
  on(event: 'forgotten', listener: (e: { channel: string; offsets: number[] }) => void): () => void
  /** Somebody's first connection joined, or changed its data. */
  on(event: 'joined' | 'updated', listener: (e: { channel: string; user: string; data?: any }) => void): () => void
  /** Somebody's last connection left, or was gone for 10 s. */
  on(event: 'left', listener: (e: { channel: string; user: string }) => void): () => void
  /** In channels of more than 500 members, once a second instead of the three above. */
  on(event: 'members', listener: (e: { channel: string; count: number }) => void): () => void
}

export interface PublishOptions {
  /** Keep it as the channel's retained message. */
  retain?: boolean
  /** For how many seconds it is retained; without it, until it is replaced. */
  ttl?: number
  /** false: not delivered to this connection. */
  echo?: boolean
  /** false: not kept in the history. */
  history?: boolean
  /** A name for this publish, at most 128 bytes: the broker takes it once while it is in the channel's history. */
  key?: string
}

export interface Receipt {
  /** How many deliveries were queued; 0 where a key was known already. */
  receivers: number
  /** Undefined where the channel has no history. */
  offset?: number
}

/** What promises are rejected with. */
export interface Fault extends Error {
  /**
   * The broker's code, like those of HTTP (400 bad request, 403 denied, 404 not offered here, 413 too large, 429 too many, ...),
   * or the client's: 'lost' the outcome is unknown, 'full' too many requests wait, 'closed' the client is closed.
   */
  code: number | 'lost' | 'full' | 'closed'
}
