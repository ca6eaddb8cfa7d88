// Ways out of where a job is kept, each tried without doing harm where it leads out. Prints of each `NAME open` or `NAME ERRNO`.
// Environment: MARK (in the command lines and environments of processes of the machine), SECRET_FILE, ENGINE_SOCKET, ABSTRACT, PORT.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *env(const char *name) { const char *value = getenv(name); return value ? value : ""; }
static int opened(const char *path, int flags) { int fd = open(path, flags | O_CLOEXEC, 0600); if (fd >= 0) close(fd); return fd; }
static int planted(const char *path) { int fd = opened(path, O_WRONLY | O_CREAT | O_EXCL); if (fd >= 0) unlink(path); return fd; }

static int mount_folder(void) { mkdir("m", 0700); int got = mount("none", "m", "tmpfs", 0, ""); if (got == 0) umount2("m", MNT_DETACH); return got; }
static int clone_mounts(void) { return syscall(428, AT_FDCWD, "/", 1); }
static int open_filesystem(void) { return syscall(430, "tmpfs", 0); }
static int new_user(void) { return unshare(CLONE_NEWUSER); }
static int new_network(void) { return unshare(CLONE_NEWNET); }
static int new_mounts(void) { return unshare(CLONE_NEWNS); }
static int clone3_user(void) {
  unsigned long args[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
  long pid = syscall(435, args, sizeof args);
  if (pid == 0) _exit(0);
  return pid;
}
static int join_mounts(void) { int fd = open("/proc/1/ns/mnt", O_RDONLY); return fd < 0 ? fd : setns(fd, CLONE_NEWNS); }
static int change_root(void) { mkdir("m", 0700); return chroot("m"); }
static int make_device(void) { int got = mknod("device", S_IFCHR | 0600, makedev(1, 3)); unlink("device"); return got; }
static int read_disk(void) {
  static const char *const disks[] = {"/dev/vda", "/dev/sda", "/dev/xvda", "/dev/nvme0n1", "/dev/loop0", "/dev/dm-0"};
  int got = -1;
  for (size_t i = 0; got < 0 && i < sizeof disks / sizeof *disks; i++) got = opened(disks[i], O_RDONLY);
  return got;
}
static int read_memory(void) { return opened("/dev/mem", O_RDONLY); }
static int write_kernel_log(void) { return opened("/dev/kmsg", O_WRONLY); }
static int read_kernel_log(void) { return klogctl(10, NULL, 0); }
static int press_sysrq(void) { return opened("/proc/sysrq-trigger", O_WRONLY); }
static int read_kcore(void) { int fd = open("/proc/kcore", O_RDONLY); char byte; return fd < 0 ? fd : (int)read(fd, &byte, 1); }
static int core_pattern(void) { return opened("/proc/sys/kernel/core_pattern", O_WRONLY); }
static int modprobe_path(void) { return opened("/proc/sys/kernel/modprobe", O_WRONLY); }
static int forwarding(void) { return opened("/proc/sys/net/ipv4/ip_forward", O_WRONLY); }
static int uevent_helper(void) { return opened("/sys/kernel/uevent_helper", O_WRONLY); }
static int read_dmi(void) { int got = opened("/sys/class/dmi/id/product_uuid", O_RDONLY); return got < 0 ? opened("/sys/devices/system/cpu/online", O_RDONLY) : got; }
static int write_cgroup(void) {
  int got = opened("/sys/fs/cgroup/cgroup.procs", O_WRONLY);
  return got < 0 ? opened("/sys/fs/cgroup/memory/cgroup.procs", O_WRONLY) : got;
}
static int release_agent(void) {
  static const char *const trees[] = {"memory", "cpu", "devices", "freezer", "pids", "systemd"};
  int got = -1;
  char path[100];
  for (size_t i = 0; got < 0 && i < sizeof trees / sizeof *trees; i++) {
    snprintf(path, sizeof path, "/sys/fs/cgroup/%s/release_agent", trees[i]);
    got = opened(path, O_WRONLY);
  }
  return got;
}
static int set_clock(void) { struct timespec now; clock_gettime(CLOCK_REALTIME, &now); return clock_settime(CLOCK_REALTIME, &now); }
static int join_keyring(void) { return syscall(SYS_keyctl, 1, NULL); }
static int add_key_(void) { return syscall(SYS_add_key, "user", "latent-test", "x", 1, -2); }
static int load_bpf(void) {
  union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}
static int io_uring(void) { char params[120] = {0}; return syscall(425, 4, params); }
static int perf(void) {
  struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = PERF_COUNT_SW_CPU_CLOCK};
  return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}
static int page_faults(void) { return syscall(SYS_userfaultfd, O_CLOEXEC); }
static int file_handles(void) {
  struct { struct file_handle head; char bytes[128]; } handle = {.head = {.handle_bytes = 128}};
  int mount_id;
  return name_to_handle_at(AT_FDCWD, ".", &handle.head, &mount_id, 0);
}
static int load_module(void) { int got = syscall(SYS_init_module, NULL, 0, ""); return got < 0 && errno != EPERM && errno != ENOSYS ? 0 : got; }
static int reboot_(void) { int got = syscall(SYS_reboot, 0, 0, 0, NULL); return got < 0 && errno == EINVAL ? 0 : got; }
static int swap(void) { int got = syscall(SYS_swapon, "/nonexistent", 0); return got < 0 && errno == ENOENT ? 0 : got; }
static int trace_process(void) {
  pid_t child = fork();
  if (child == 0) for (;;) pause();
  int got = ptrace(PTRACE_SEIZE, child, NULL, NULL), why = errno;
  kill(child, SIGKILL);
  errno = why;
  return got;
}
static int write_process(void) {
  long from = 1, to = 0;
  struct iovec here = {&from, sizeof from}, there = {&to, sizeof to};
  return process_vm_writev(getpid(), &here, 1, &there, 1, 0);
}
static int first_process(void) { return opened("/proc/1/mem", O_RDWR); }
static int first_thread(void) { return opened("/proc/1/task/1/mem", O_RDWR); }
static int first_environment(void) { return opened("/proc/1/environ", O_RDONLY); }
static int first_root(void) { return opened("/proc/1/root", O_RDONLY | O_DIRECTORY); }
static int type_into_terminal(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) || unlockpt(master)) return -1;
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  return slave < 0 ? -1 : ioctl(slave, TIOCSTI, "x");
}
static int set_id_file(void) { int fd = open("mine", O_CREAT | O_RDWR, 0755), got = fchmod(fd, 04755); close(fd); unlink("mine"); return got; }
static int gain_privileges(void) { int none = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); errno = EPERM; return none == 0 ? 0 : -1; }
static int packet_socket(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static int raw_socket(void) { return socket(AF_INET, SOCK_RAW, 1); }
static int hypervisor_socket(void) { return socket(AF_VSOCK, SOCK_STREAM, 0); }
static int preload(void) { return planted("/etc/latent-test.preload"); }
static int plant_program(void) { return planted("/usr/bin/latent-test"); }
static int read_shadow(void) { return opened("/etc/shadow", O_RDONLY); }
static int read_secret(void) { return opened(env("SECRET_FILE"), O_RDONLY); }
static int secret_by_root(void) { char path[600]; snprintf(path, sizeof path, "/proc/1/root%s", env("SECRET_FILE")); return opened(path, O_RDONLY); }
static int local_socket(const char *path, int isAbstract) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  strncpy(at.sun_path + isAbstract, path, sizeof at.sun_path - 2);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return connect(fd, (struct sockaddr *)&at, offsetof(struct sockaddr_un, sun_path) + isAbstract + strlen(path));
}
static int engine_socket(void) { return local_socket(env("ENGINE_SOCKET"), 0); }
static int abstract_socket(void) { return local_socket(env("ABSTRACT"), 1); }
static int machine_loopback(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(env("PORT"))), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof at);
}
// A process of the machine shows by its command line; the job's own does not have the mark there.
static pid_t find_marked(void) {
  DIR *all = opendir("/proc");
  for (struct dirent *entry; (entry = readdir(all));) {
    char path[300], text[4096];
    snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
    int fd = open(path, O_RDONLY);
    if (fd < 0) continue;
    ssize_t length = read(fd, text, sizeof text);
    close(fd);
    if (length > 0 && memmem(text, length, env("MARK"), strlen(env("MARK")))) return atoi(entry->d_name);
  }
  errno = ESRCH;
  return -1;
}
static int see_processes(void) { return find_marked(); }
static int signal_processes(void) { pid_t pid = find_marked(); return pid < 0 ? -1 : kill(pid, 0); }
// Whose calls no filter looks at, and whose memory can be written to, and so made to call what a job may not.
static int unfiltered_process(void) {
  DIR *all = opendir("/proc");
  for (struct dirent *entry; (entry = readdir(all));) {
    char path[300], text[4096] = {0};
    snprintf(path, sizeof path, "/proc/%s/status", entry->d_name);
    int fd = open(path, O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0 || !strstr(text, "Seccomp:\t0")) continue;
    snprintf(path, sizeof path, "/proc/%s/mem", entry->d_name);
    if (opened(path, O_RDWR) >= 0) return 0;
  }
  errno = ESRCH;
  return -1;
}

#define WAY(name) {#name, name}
static const struct { const char *name; int (*try)(void); } ways[] = {
  WAY(mount_folder), WAY(clone_mounts), WAY(open_filesystem), WAY(new_user), WAY(new_network), WAY(new_mounts), WAY(clone3_user),
  WAY(join_mounts), WAY(change_root), WAY(make_device), WAY(read_disk), WAY(read_memory), WAY(write_kernel_log), WAY(read_kernel_log),
  WAY(press_sysrq), WAY(read_kcore), WAY(core_pattern), WAY(modprobe_path), WAY(forwarding), WAY(uevent_helper), WAY(read_dmi),
  WAY(write_cgroup), WAY(release_agent), WAY(set_clock), WAY(join_keyring), WAY(add_key_), WAY(load_bpf), WAY(io_uring), WAY(perf),
  WAY(page_faults), WAY(file_handles), WAY(load_module), WAY(reboot_), WAY(swap), WAY(trace_process), WAY(write_process),
  WAY(first_process), WAY(first_thread), WAY(first_environment), WAY(first_root), WAY(type_into_terminal), WAY(set_id_file),
  WAY(gain_privileges), WAY(packet_socket), WAY(raw_socket), WAY(hypervisor_socket), WAY(preload), WAY(plant_program), WAY(read_shadow),
  WAY(read_secret), WAY(secret_by_root), WAY(engine_socket), WAY(abstract_socket), WAY(machine_loopback), WAY(see_processes),
  WAY(signal_processes), WAY(unfiltered_process),
};

int main(void) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    // Each in a process of its own, so that none finds what another did.
    pid_t child = fork();
    if (child == 0) {
      errno = 0;
      int got = ways[i].try();
      if (got >= 0) printf("%s open\n", ways[i].name);
      else printf("%s %s\n", ways[i].name, strerrorname_np(errno));
      fflush(stdout);
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
  return 0;
}
