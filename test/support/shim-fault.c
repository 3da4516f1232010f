/*
 * A disk that obeys the test, for LD_PRELOAD: calls below EDGEPOLL_FAULT_DIR are slow or fail as the
 * file EDGEPOLL_FAULT_FILE says at that moment. One line: what is hit, what happens, how much, which one.
 *   sync sleep 50 0       every fsync and fdatasync takes 50 ms longer
 *   all errno 28 0        writing, syncing and making files fail with ENOSPC
 *   sync errno 5 7        the 7th sync from the moment the line was written fails with EIO
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE 128
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char last[LINE];
static int count;

static int is_below(const char *path) {
  const char *dir = getenv("EDGEPOLL_FAULT_DIR");
  return dir && strncmp(path, dir, strlen(dir)) == 0;
}

static int is_fd_below(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

/* The line that holds now; by system calls of its own, which are not hit. */
static void read_line(char *line) {
  const char *file = getenv("EDGEPOLL_FAULT_FILE");
  line[0] = 0;
  long fd = file ? syscall(SYS_openat, AT_FDCWD, file, O_RDONLY) : -1;
  if (fd < 0) return;
  long length = syscall(SYS_read, fd, line, LINE - 1);
  syscall(SYS_close, fd);
  line[length > 0 ? length : 0] = 0;
}

/* What a call of that kind is to meet: 0, or the errno to fail with. It has slept when it returns. */
static int fault(const char *kind) {
  int kept = errno;
  char line[LINE], hit[16], deed[16];
  int amount = 0, nth = 0, found = 0;
  read_line(line);
  if (sscanf(line, "%15s %15s %d %d", hit, deed, &amount, &nth) == 4 &&
      (strcmp(hit, "all") == 0 || strcmp(hit, kind) == 0)) {
    pthread_mutex_lock(&lock);
    if (strcmp(last, line) != 0) count = 0;
    strcpy(last, line);
    count++;
    int holds = nth == 0 || nth == count;
    pthread_mutex_unlock(&lock);
    if (holds && strcmp(deed, "errno") == 0) found = amount;
    if (holds && strcmp(deed, "sleep") == 0) {
      struct timespec time = {amount / 1000, amount % 1000 * 1000000L};
      nanosleep(&time, NULL);
    }
  }
  errno = kept;
  return found;
}

/* A full disk refuses new files, one that is read-only every opening for writing. */
static int open_fault(const char *path, int flags) {
  if (!is_below(path) || (flags & (O_WRONLY | O_RDWR | O_CREAT)) == 0) return 0;
  int error = fault("open");
  int kept = errno;
  int is_new = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
  errno = kept;
  return error == EROFS || is_new ? error : 0;
}

static int open_any(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  int error = open_fault(path, flags);
  if (error == 0) return real(path, flags, mode);
  errno = error;
  return -1;
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_any(REAL(open), path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_any(REAL(open64), path, flags, mode);
}

FILE *fopen64(const char *path, const char *mode) {
  int error = open_fault(path, mode[0] == 'r' ? O_RDONLY : O_WRONLY | O_CREAT);
  if (error == 0) return REAL(fopen64)(path, mode);
  errno = error;
  return NULL;
}

/* LevelDB writes through stdio; a flush is the write that the disk sees. */
int fflush_unlocked(FILE *file) {
  int error = file && is_fd_below(fileno(file)) ? fault("write") : 0;
  if (error == 0) return REAL(fflush_unlocked)(file);
  errno = error;
  return EOF;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  int error = is_fd_below(fd) ? fault("write") : 0;
  if (error == 0) return REAL(write)(fd, bytes, length);
  errno = error;
  return -1;
}

int fsync(int fd) {
  int error = is_fd_below(fd) ? fault("sync") : 0;
  if (error == 0) return REAL(fsync)(fd);
  errno = error;
  return -1;
}

int fdatasync(int fd) {
  int error = is_fd_below(fd) ? fault("sync") : 0;
  if (error == 0) return REAL(fdatasync)(fd);
  errno = error;
  return -1;
}
