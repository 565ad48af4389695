// x-mod judges what lockkeeper writes with golang.org/x/mod, the code with which the go command checks the sums of modules.
//
//	x-mod DIR VKEY [--old CHECKPOINT]...   a tlog-tiles directory; CHECKPOINT files of the same log, which must be its beginnings
//	x-mod proof FILE VKEY ENTRYFILE        a c2sp.org/tlog-proof@v1 file, for the bytes of one entry
//
// Prints "ok size=N" and ends with 0, or says what is wrong and ends with 1.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Of tlog-tiles: tiles are 8 levels high, so they and bundles hold 256.
const height, width = 8, 256

func main() {
	size, err := judge(os.Args[1:])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("ok size=%d\n", size)
}

func judge(words []string) (int64, error) {
	if len(words) == 4 && words[0] == "proof" {
		return checkProof(words[1], words[2], words[3])
	}
	if len(words) < 2 || len(words)%2 != 0 {
		return 0, fmt.Errorf("usage: x-mod DIR VKEY [--old CHECKPOINT]... | x-mod proof FILE VKEY ENTRYFILE")
	}
	tree, err := openCheckpointFile(filepath.Join(words[0], "checkpoint"), words[1])
	if err != nil {
		return 0, err
	}
	if tree.N == 0 {
		return 0, checkEmpty(tree)
	}
	hashes := tlog.TileHashReader(tree, directory(words[0]))
	if err := checkEntries(words[0], tree, hashes); err != nil {
		return 0, err
	}
	for at := 2; at < len(words); at += 2 {
		if words[at] != "--old" {
			return 0, fmt.Errorf("%s: not known", words[at])
		}
		if err := checkBeginning(words[at+1], words[1], tree, hashes); err != nil {
			return 0, err
		}
	}
	return tree.N, nil
}

// checkEntries compares every entry of every bundle with its leaf. Reading a leaf's hash authenticates its tile, and the
// tiles above it, against the root.
func checkEntries(dir string, tree tlog.Tree, hashes tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += width {
		count := min(width, tree.N-first)
		indexes := make([]int64, count)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return fmt.Errorf("leaves from %d on: %w", first, err)
		}
		bundle, err := os.ReadFile(pathOf(dir, "entries", tlog.Tile{H: height, L: 0, N: first / width, W: int(count)}))
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return fmt.Errorf("entry %d: its bundle ends before it", first+int64(i))
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:end]) != leaf {
				return fmt.Errorf("entry %d: its hash is not the leaf's", first+int64(i))
			}
			bundle = bundle[end:]
		}
		if len(bundle) > 0 {
			return fmt.Errorf("the bundle from entry %d on has %d bytes too many", first, len(bundle))
		}
		if err := checkInclusion(tree, hashes, first+count-1, leaves[count-1]); err != nil {
			return err
		}
	}
	return nil
}

func checkInclusion(tree tlog.Tree, hashes tlog.HashReader, index int64, leaf tlog.Hash) error {
	proof, err := tlog.ProveRecord(tree.N, index, hashes)
	if err != nil {
		return fmt.Errorf("proving entry %d: %w", index, err)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
		return fmt.Errorf("inclusion of entry %d: %w", index, err)
	}
	return nil
}

// checkBeginning proves that the log of an older checkpoint is the beginning of this one.
func checkBeginning(file, vkey string, tree tlog.Tree, hashes tlog.HashReader) error {
	old, err := openCheckpointFile(file, vkey)
	if err != nil {
		return err
	}
	if old.N == 0 {
		return checkEmpty(old)
	}
	if old.N > tree.N {
		return fmt.Errorf("%s: a log of %d entries had %d before", file, tree.N, old.N)
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return fmt.Errorf("proving %s: %w", file, err)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("the log of %s is not a beginning of this one: %w", file, err)
	}
	return nil
}

func checkEmpty(tree tlog.Tree) error {
	// TreeHash of nothing is SHA-256 of nothing.
	if root, err := tlog.TreeHash(0, nil); err != nil || root != tree.Hash {
		return fmt.Errorf("the root of an empty log is %v, not %v", root, tree.Hash)
	}
	return nil
}

// checkProof checks a proof file: its first line, "index N", hashes, an empty line, the checkpoint.
func checkProof(file, vkey, entryFile string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return 0, err
	}
	head, checkpoint, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, fmt.Errorf("%s is no c2sp.org/tlog-proof@v1 file", file)
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") && len(lines) > 1 {
		lines = lines[1:]
	}
	index, err := parseCount(strings.TrimPrefix(lines[0], "index "))
	if err != nil || !strings.HasPrefix(lines[0], "index ") {
		return 0, fmt.Errorf("%s: %q is no index", file, lines[0])
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, fmt.Errorf("%s: %q: %w", file, line, err)
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint(checkpoint, vkey)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	return tree.N, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func openCheckpointFile(file, vkey string) (tlog.Tree, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := openCheckpoint(text, vkey)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", file, err)
	}
	return tree, nil
}

// openCheckpoint checks the signature and the origin. tlog.ParseTree takes go.sum's database only, so the lines are read here.
func openCheckpoint(text []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("no checkpoint of %s: %q", verifier.Name(), opened.Text)
	}
	size, err := parseCount(lines[1])
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%q is no root", lines[2])
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

func parseCount(text string) (int64, error) {
	count, err := strconv.ParseInt(text, 10, 64)
	if err != nil || count < 0 || strconv.FormatInt(count, 10) != text {
		return 0, fmt.Errorf("%q is no count", text)
	}
	return count, nil
}

// directory reads tiles from files.
type directory string

func (dir directory) Height() int                     { return height }
func (dir directory) SaveTiles([]tlog.Tile, [][]byte) {}
func (dir directory) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, tile := range tiles {
		content, err := os.ReadFile(pathOf(string(dir), strconv.Itoa(tile.L), tile))
		if err != nil {
			return nil, err
		}
		if len(content) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes, not %d", tile.Path(), len(content), tile.W*tlog.HashSize)
		}
		all = append(all, content)
	}
	return all, nil
}

// pathOf names a tile as tlog-tiles does: tile/<row>/<N>, where Tile.Path gives tile/<height>/<L>/<N>.
func pathOf(dir, row string, tile tlog.Tile) string {
	place := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/%d/", tile.H, tile.L))
	return filepath.Join(dir, "tile", row, filepath.FromSlash(place))
}
