"""redis-py with hashes, lists, sets and sorted sets, told what to do by the Go test (program_test.go)."""

import json
import os
import sys

import redis

HOST, PORT = os.environ["BROKER"].rsplit(":", 1)
PROTOCOL = int(os.environ["PROTOCOL"])
FIVE = int(redis.__version__.split(".", maxsplit=1)[0]) >= 5


def flat(scores):
    """Members and scores in turn, as text, because JSON has no infinity."""
    return [text for member, score in scores for text in (member, str(score))]


class Client:
    """One client of the broker."""

    def __init__(self):
        if PROTOCOL == 3 and not FIVE:
            raise RuntimeError(f"unsupported: redis-py {redis.__version__} has no RESP3")
        options = {"protocol": PROTOCOL} if FIVE else {}
        name = os.environ["CLIENT_NAME"]
        self.redis = redis.Redis(host=HOST, port=int(PORT), client_name=name, decode_responses=True, **options)

    def close(self):
        self.redis.close()

    def hashSet(self, key, fields):
        return self.redis.hset(key, mapping=fields)

    def hashAll(self, key):
        return self.redis.hgetall(key)

    def hashSome(self, key, fields):
        return self.redis.hmget(key, fields)

    def hashScan(self, key, match, count):
        return dict(self.redis.hscan_iter(key, match=match, count=count))

    def push(self, key, values):
        return self.redis.rpush(key, *values)

    def listAll(self, key):
        return self.redis.lrange(key, 0, -1)

    def move(self, source, target):
        return self.redis.lmove(source, target, "RIGHT", "LEFT")

    def waitPop(self, keys):
        return self.redis.blpop(keys, 1) or []

    def waitMove(self, source, target):
        return self.redis.blmove(source, target, 1, "RIGHT", "LEFT")

    def setAdd(self, key, members):
        return self.redis.sadd(key, *members)

    def setAll(self, key):
        return list(self.redis.smembers(key))

    def combine(self, how, keys):
        return list({"inter": self.redis.sinter, "union": self.redis.sunion, "diff": self.redis.sdiff}[how](keys))

    def setHas(self, key, members):
        return [bool(is_member) for is_member in self.redis.smismember(key, members)]

    def setScan(self, key, match, count):
        return list(self.redis.sscan_iter(key, match=match, count=count))

    def scoreSet(self, key, scores):
        return self.redis.zadd(key, dict(zip(scores[::2], map(float, scores[1::2]))))

    def scoreAdd(self, key, by, member):
        return str(self.redis.zincrby(key, by, member))

    def top(self, key, n):
        return flat(self.redis.zrevrange(key, 0, n - 1, withscores=True))

    def place(self, key, member):
        score = self.redis.zscore(key, member)
        return [None if score is None else str(score), self.redis.zrevrank(key, member)]

    def popLowest(self, key):
        return flat(self.redis.zpopmin(key))

    def waitLowest(self, keys):
        popped = self.redis.bzpopmin(keys, 1)
        return flat([popped[1:]]) if popped else []

    def scoreScan(self, key, match, count):
        return flat(self.redis.zscan_iter(key, match=match, count=count))

    def together(self, fields, members, scores):
        pipeline = self.redis.pipeline()
        pipeline.hgetall(fields).smembers(members).zrevrange(scores, 0, -1, withscores=True)
        got = pipeline.execute()
        return [got[0], list(got[1]), flat(got[2])]

    def bind(self, queue):
        """Makes a queue known, as kombu does, and answers all that are."""
        self.redis.sadd("_kombu.binding.tasks", queue)
        return sorted(self.redis.smembers("_kombu.binding.tasks"))

    def deliver(self, queue, tag, now):
        """Takes a message as kombu does: BRPOP over the queue's priorities, then it is kept until it is acknowledged."""
        popped = self.redis.brpop([queue] + [f"{queue}\x06\x16{step}" for step in (3, 6, 9)], timeout=1)
        if popped is None:
            return None
        with self.redis.pipeline() as pipe:
            pipe.zadd("unacked_index", {tag: now}).hset("unacked", tag, json.dumps([popped[1], queue]))
            pipe.execute()
        return popped[1]

    def acknowledge(self, tag):
        with self.redis.pipeline() as pipe:
            return pipe.zrem("unacked_index", tag).hdel("unacked", tag).execute()

    def restore(self, before):
        """Puts back what was delivered before this time and not acknowledged."""
        restored = []
        for tag, _ in self.redis.zrevrangebyscore("unacked_index", before, 0, start=0, num=10, withscores=True):

            def again(pipe, tag=tag):
                kept = pipe.hget("unacked", tag)
                pipe.multi()
                pipe.zrem("unacked_index", tag).hdel("unacked", tag)
                if kept:
                    message, queue = json.loads(kept)
                    pipe.rpush(queue, message)
                    restored.append(message)

            self.redis.transaction(again, "unacked")
        return restored


def main():
    client = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        try:
            if request["call"] == "dial":
                if client is not None:
                    client.close()
                client = Client()
            else:
                answer["result"] = getattr(client, request["call"])(*request["args"])
        except Exception as error:  # whatever it is, the test is told
            answer["error"] = str(error)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
