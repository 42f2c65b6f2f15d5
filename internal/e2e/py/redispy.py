"""redis-py as its users use it, told what to do by the Go test: one JSON object per line (program_test.go)."""

import base64
import json
import os
import sys
import threading

import redis

HOST, PORT = os.environ["BROKER"].rsplit(":", 1)
PROTOCOL = int(os.environ["PROTOCOL"])
FIVE = int(redis.__version__.split(".", maxsplit=1)[0]) >= 5

speaking = threading.Lock()


class Unsupported(Exception):
    """This version of redis-py does not have it; the test is skipped and says so."""

    def __str__(self):
        return f"unsupported: redis-py {redis.__version__} has no {self.args[0]}"


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Client:
    """One client of the broker and what it has subscribed to."""

    def __init__(self):
        if PROTOCOL == 3 and not FIVE:
            raise Unsupported("RESP3")
        options = {"protocol": PROTOCOL} if FIVE else {}
        self.redis = redis.Redis(host=HOST, port=int(PORT), client_name=os.environ["CLIENT_NAME"], **options)
        self.closed = False
        self.watching = None

    def close(self):
        with speaking:
            self.closed = True
        self.redis.close()

    def subscribe(self, kind, names):
        method = {"channels": "subscribe", "patterns": "psubscribe", "shards": "ssubscribe"}[kind]
        subscription = self.redis.pubsub()
        if not hasattr(subscription, method):
            raise Unsupported("shard channels")
        getattr(subscription, method)(*names)
        for _ in names:
            if subscription.get_message(timeout=20) is None:
                raise TimeoutError("no acknowledgement")
        threading.Thread(target=self._read, args=(subscription,), daemon=True).start()

    def _read(self, subscription):
        while not self.closed:
            try:
                message = subscription.get_message(ignore_subscribe_messages=True, timeout=0.1)
            except redis.ConnectionError:
                continue  # asking again connects and subscribes again; this is the user's part
            if message is not None:
                self._deliver(message)
        subscription.close()

    def _deliver(self, message):
        delivery = {
            "pattern": (message["pattern"] or b"").decode(),
            "channel": message["channel"].decode(),
            "text": base64.b64encode(message["data"]).decode(),
        }
        with speaking:
            if not self.closed:
                say({"delivery": delivery})

    def publish(self, channel, text):
        return self.redis.publish(channel, base64.b64decode(text))

    def shardPublish(self, channel, text):
        return self.redis.execute_command("SPUBLISH", channel, base64.b64decode(text))

    def pipeline(self, channel, texts):
        pipeline = self.redis.pipeline(transaction=False)
        for text in texts:
            pipeline.publish(channel, base64.b64decode(text))
        return pipeline.execute()

    def transaction(self, key, value, channel):
        _, got, receivers = self.redis.pipeline().set(key, value).get(key).publish(channel, value).execute()
        return [got.decode(), receivers]

    def watch(self, key):
        self.watching = self.redis.pipeline()
        self.watching.watch(key)

    def commit(self, key):
        self.watching.multi()
        self.watching.set(key, "mine")
        try:
            self.watching.execute()
        except redis.WatchError:
            return False
        return True

    def scan(self, match, count, kind):
        return [key.decode() for key in self.redis.scan_iter(match=match, count=count, _type=kind)]

    def unknown(self):
        return self.redis.execute_command("NOSUCHTHING", "a", "b")


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
        with speaking:
            say(answer)


main()
