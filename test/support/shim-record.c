/*
 * Records what a process has synced, for shim.ts: loaded with LD_PRELOAD, it appends a line to the file
 * EDGEPOLL_SHIM_LOG for each fsync, fdatasync, rename and unlink below the directory EDGEPOLL_SHIM_DIR.
 * A line: CLOCK_MONOTONIC in ns, what was done, a length or 0, and the path or paths, between tabs.
 * With EDGEPOLL_SHIM_KILL=n the process group is killed when one of its processes has written n lines.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void record(const char *deed, long long length, const char *path, const char *other) {
  static int file = -1;
  const char *below = getenv("EDGEPOLL_SHIM_DIR"), *log = getenv("EDGEPOLL_SHIM_LOG");
  if (below == NULL || log == NULL || strncmp(path, below, strlen(below)) != 0) return;
  if (file < 0) file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  char line[2 * PATH_MAX + 64];
  int size = snprintf(line, sizeof line, "%lld\t%s\t%lld\t%s\t%s\n",
                      now.tv_sec * 1000000000LL + now.tv_nsec, deed, length, path, other);
  if (write(file, line, size) != size) abort();
  static int lines = 0;
  const char *last = getenv("EDGEPOLL_SHIM_KILL");
  if (last != NULL && __atomic_add_fetch(&lines, 1, __ATOMIC_SEQ_CST) == atoi(last)) kill(0, SIGKILL);
}

/* The length is taken before the sync: what is appended meanwhile may not be on the disk. */
static int synced(int file, int (*sync)(int)) {
  struct stat before;
  char link[32], path[PATH_MAX];
  int known = fstat(file, &before);
  int result = sync(file);
  if (known != 0 || result != 0) return result;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t end = readlink(link, path, sizeof path - 1);
  if (end < 0) return result;
  path[end] = '\0';
  record("sync", before.st_size, path, "");
  return result;
}

int fsync(int file) { return synced(file, (int (*)(int))dlsym(RTLD_NEXT, "fsync")); }

int fdatasync(int file) { return synced(file, (int (*)(int))dlsym(RTLD_NEXT, "fdatasync")); }

int rename(const char *from, const char *to) {
  int result = ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
  if (result == 0) record("rename", 0, from, to);
  return result;
}

int unlink(const char *path) {
  int result = ((int (*)(const char *))dlsym(RTLD_NEXT, "unlink"))(path);
  if (result == 0) record("unlink", 0, path, "");
  return result;
}
