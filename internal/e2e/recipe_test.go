package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// onBoth runs the piece of Go of a recipe with each server and each version of the protocol.
func onBoth(t *testing.T, check func(ctx context.Context, t *testing.T, c *redis.Client)) {
	t.Parallel()
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			addr := server.start(t)
			for name, protocol := range map[string]int{"RESP2": 2, "RESP3": 3} {
				t.Run(name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					defer cancel()
					c := dial(t, addr, protocol)
					if err := c.FlushAll(ctx).Err(); err != nil {
						t.Fatal(err)
					}
					check(ctx, t, c)
				})
			}
		})
	}
}

var goBlock = regexp.MustCompile("(?s)\n```go\n(.*?)```\n")

// The Go of a recipe is what the tests of these files run: recipe_<page>_test.go has each block as it stands.
func TestTheGoOfTheRecipesIsWhatIsTested(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/recipes/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no recipes: %v", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		file := "recipe_" + strings.TrimSuffix(filepath.Base(page), ".md") + "_test.go"
		tested, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks := goBlock.FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no Go", page)
		}
		for _, block := range blocks {
			if !strings.Contains(string(tested), "\n"+block[1]) {
				t.Errorf("%s does not have this of %s:\n%s", file, page, block[1])
			}
		}
	}
}
