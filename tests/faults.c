#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* Fails the n-th call that changes something below a folder; counts them. */
static char prefix[PATH_MAX];
static char last[PATH_MAX + 32];
static int at, code, sticky;
static int count;

void faults_arm(const char *below, int n, int number, int for_good) {
    snprintf(prefix, sizeof prefix, "%s", below);
    at = n; code = number; sticky = for_good; count = 0; last[0] = 0;
}
int faults_count(void) { return count; }
const char *faults_last(void) { return last; }

static int is_below(const char *path) {
    char whole[PATH_MAX * 2];
    if (!prefix[0] || !path) return 0;
    if (path[0] != '/') {
        char cwd[PATH_MAX];
        if (!getcwd(cwd, sizeof cwd)) return 0;
        snprintf(whole, sizeof whole, "%s/%s", cwd, path);
        path = whole;
    }
    return strncmp(path, prefix, strlen(prefix)) == 0;
}
static int due(const char *what, const char *path) {
    if (!is_below(path)) return 0;
    int now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (!at || (sticky ? now < at : now != at)) return 0;
    if (!last[0]) snprintf(last, sizeof last, "%s %s", what, path);
    errno = code;
    return 1;
}
static int due_fd(const char *what, int fd) {
    char link[64], path[PATH_MAX];
    if (!prefix[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return due(what, path);
}
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_FD(type, name, params, args) \
    type name params { if (due_fd(#name, fd)) return -1; return NEXT(name) args; }
ON_FD(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n))
ON_FD(ssize_t, pwrite, (int fd, const void *buf, size_t n, off_t o), (fd, buf, n, o))
ON_FD(ssize_t, pwrite64, (int fd, const void *buf, size_t n, off64_t o), (fd, buf, n, o))
ON_FD(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
ON_FD(int, fsync, (int fd), (fd))
ON_FD(int, fdatasync, (int fd), (fd))
ON_FD(int, ftruncate, (int fd, off_t n), (fd, n))
ON_FD(int, ftruncate64, (int fd, off64_t n), (fd, n))
ON_FD(int, fchmod, (int fd, mode_t m), (fd, m))
#define ON_PATH(name, params, args) int name params { if (due(#name, to)) return -1; return NEXT(name) args; }
ON_PATH(rename, (const char *from, const char *to), (from, to))
ON_PATH(link, (const char *from, const char *to), (from, to))
ON_PATH(unlink, (const char *to), (to))
ON_PATH(rmdir, (const char *to), (to))
ON_PATH(mkdir, (const char *to, mode_t m), (to, m))
ON_PATH(chmod, (const char *to, mode_t m), (to, m))
int renameat(int a, const char *from, int b, const char *to) {
    if (due("renameat", to)) return -1; return NEXT(renameat)(a, from, b, to); }
int linkat(int a, const char *from, int b, const char *to, int f) {
    if (due("linkat", to)) return -1; return NEXT(linkat)(a, from, b, to, f); }
int unlinkat(int d, const char *to, int f) {
    if (to[0] == '/' ? due("unlinkat", to) : due_fd("unlinkat", d)) return -1; return NEXT(unlinkat)(d, to, f); }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) && due(#name, path)) return -1; \
        return NEXT(name)(path, flags, mode); }
OPEN(open)
OPEN(open64)
