package e2e

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// work takes jobs and does them, until the context ends.
func work(ctx context.Context, c *redis.Client, worker string, do func(job string) error) error {
	mine := "jobs:worker:" + worker
	if err := c.SAdd(ctx, "workers", worker).Err(); err != nil {
		return err
	}
	for {
		if err := c.Set(ctx, "worker:"+worker, "alive", time.Minute).Err(); err != nil {
			return err
		}
		job, err := c.BLMove(ctx, "jobs", mine, "RIGHT", "LEFT", 5*time.Second).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return err
		}
		if err := do(job); err != nil {
			return err // it stays in the list of this worker, and comes back when the worker is reaped
		}
		if err := c.LRem(ctx, mine, 1, job).Err(); err != nil {
			return err
		}
	}
}

// reap gives the jobs of workers that are gone back to the queue and returns how many there were.
func reap(ctx context.Context, c *redis.Client) (jobs int, err error) {
	workers, err := c.SMembers(ctx, "workers").Result()
	if err != nil {
		return 0, err
	}
	for _, worker := range workers {
		alive, err := c.Exists(ctx, "worker:"+worker).Result()
		if err != nil {
			return jobs, err
		}
		if alive == 1 {
			continue
		}
		for {
			err := c.LMove(ctx, "jobs:worker:"+worker, "jobs", "RIGHT", "RIGHT").Err()
			if errors.Is(err, redis.Nil) {
				break
			}
			if err != nil {
				return jobs, err
			}
			jobs++
		}
		if err := c.SRem(ctx, "workers", worker).Err(); err != nil {
			return jobs, err
		}
	}
	return jobs, nil
}

func TestAJobThatADeadWorkerHadIsDone(t *testing.T) {
	onBoth(t, func(ctx context.Context, t *testing.T, c *redis.Client) {
		if err := c.LPush(ctx, "jobs", "one", "two", "three").Err(); err != nil {
			t.Fatal(err)
		}
		dead := errors.New("the worker is dead")
		err := work(ctx, c, "1", func(job string) error {
			if job == "two" {
				return dead
			}
			return nil
		})
		if !errors.Is(err, dead) {
			t.Fatalf("got %v, want %v", err, dead)
		}
		if jobs, err := reap(ctx, c); jobs != 0 || err != nil {
			t.Errorf("got %d jobs of a worker that lives, %v", jobs, err)
		}
		if err := c.Del(ctx, "worker:1").Err(); err != nil { // as time would do
			t.Fatal(err)
		}
		if jobs, err := reap(ctx, c); jobs != 1 || err != nil {
			t.Errorf("got %d jobs back, %v, want 1", jobs, err)
		}
		var done []string
		enough := errors.New("enough")
		err = work(ctx, c, "2", func(job string) error {
			if done = append(done, job); len(done) == 3 {
				return enough
			}
			if len(done) == 2 {
				return c.LPush(ctx, "jobs", "last").Err()
			}
			return nil
		})
		if want := []string{"two", "three", "last"}; !errors.Is(err, enough) || !slices.Equal(done, want) {
			t.Errorf("got %q, %v, want %q", done, err, want)
		}
		if got := c.SMembers(ctx, "workers").Val(); !slices.Equal(got, []string{"2"}) {
			t.Errorf("got workers %q, want 2", got)
		}
	})
}

func TestAWorkerWaitsForAJob(t *testing.T) {
	onBoth(t, func(ctx context.Context, t *testing.T, c *redis.Client) {
		ended, enough := make(chan error, 1), errors.New("enough")
		go func() { ended <- work(ctx, c, "1", func(string) error { return enough }) }()
		blocked(ctx, t, c)
		if err := c.LPush(ctx, "jobs", "late").Err(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, enough) {
			t.Errorf("got %v, want the job to be done", err)
		}
	})
}
