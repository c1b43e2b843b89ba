/* SPDX-License-Identifier: MIT */
/* The command line, in the three forms under which the program is called: packetfs, mount.packetfs by
 * mount(8), and umount.packetfs or umount.fuse.packetfs by umount(8). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/fs.h"

enum word_kind {
    WORD_FLAG,   /* sets the bool at offset */
    WORD_CLEAR,  /* clears it */
    WORD_KERNEL, /* for the mount itself */
    WORD_BOTH,   /* WORD_FLAG and WORD_KERNEL */
    WORD_UID,
    WORD_GID,
    WORD_UMASK,
    WORD_CACHE,
    WORD_IGNORE, /* means something to mount(8) or in fstab only, or is what happens anyway */
};

struct word {
    const char *name; /* ends in '=' when a value must follow, in '*' when anything may */
    enum word_kind kind;
    size_t offset;
};

#define FLAG(field) offsetof(struct fs_options, field)

static const struct word words[] = {
    {"ro", WORD_FLAG, FLAG(read_only)},
    {"rw", WORD_CLEAR, FLAG(read_only)},
    {"noatime", WORD_BOTH, FLAG(noatime)},
    {"atime", WORD_CLEAR, FLAG(noatime)},
    {"sync", WORD_FLAG, FLAG(sync)},
    {"async", WORD_CLEAR, FLAG(sync)},
    {"allow_other", WORD_FLAG, FLAG(allow_other)},
    {"realtime", WORD_FLAG, FLAG(realtime)},
    {"uid=", WORD_UID, 0},
    {"gid=", WORD_GID, 0},
    {"umask=", WORD_UMASK, 0},
    {"cache=", WORD_CACHE, 0},
    {"suid", WORD_KERNEL, 0},
    {"nosuid", WORD_KERNEL, 0},
    {"dev", WORD_KERNEL, 0},
    {"nodev", WORD_KERNEL, 0},
    {"exec", WORD_KERNEL, 0},
    {"noexec", WORD_KERNEL, 0},
    {"dirsync", WORD_KERNEL, 0},
    {"nodiratime", WORD_KERNEL, 0},
    {"norelatime", WORD_KERNEL, 0},
    {"nostrictatime", WORD_KERNEL, 0},
    {"context=", WORD_KERNEL, 0},
    {"fscontext=", WORD_KERNEL, 0},
    {"defcontext=", WORD_KERNEL, 0},
    {"rootcontext=", WORD_KERNEL, 0},
    {"default_permissions", WORD_IGNORE, 0},
    {"defaults", WORD_IGNORE, 0},
    {"auto", WORD_IGNORE, 0},
    {"noauto", WORD_IGNORE, 0},
    {"user", WORD_IGNORE, 0},
    {"user=", WORD_IGNORE, 0},
    {"nouser", WORD_IGNORE, 0},
    {"users", WORD_IGNORE, 0},
    {"owner", WORD_IGNORE, 0},
    {"group", WORD_IGNORE, 0},
    {"nofail", WORD_IGNORE, 0},
    {"_netdev", WORD_IGNORE, 0},
    {"relatime", WORD_IGNORE, 0},
    {"strictatime", WORD_IGNORE, 0},
    {"diratime", WORD_IGNORE, 0},
    {"nolazytime", WORD_IGNORE, 0},
    {"comment=", WORD_IGNORE, 0},
    {"x-*", WORD_IGNORE, 0},
    {"X-*", WORD_IGNORE, 0},
};

static const struct word *word_find(const char *given)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i].name);
        char last = words[i].name[len - 1];

        if (last == '='   ? !strncmp(given, words[i].name, len)
            : last == '*' ? !strncmp(given, words[i].name, len - 1)
                          : !strcmp(given, words[i].name))
            return &words[i];
    }
    return NULL;
}

static int number_parse(const char *word, int base, unsigned long most, unsigned long *number)
{
    const char *text = strchr(word, '=') + 1;
    char *end;

    errno = 0;
    *number = strtoul(text, &end, base);
    if (*text >= '0' && *text <= '9' && !*end && !errno && *number <= most)
        return 0;
    cli_error("option \"%s\": the value must be a number%s up to %lu", word, base == 8 ? " in octal" : "",
              most);
    return -EINVAL;
}

static int word_value(struct fs_options *options, enum word_kind kind, const char *word)
{
    unsigned long number;
    int err;

    switch (kind) {
    case WORD_UID:
        err = number_parse(word, 10, UINT32_MAX - 1, &number);
        options->uid_set = true;
        options->uid = (uid_t)number;
        return err;
    case WORD_GID:
        err = number_parse(word, 10, UINT32_MAX - 1, &number);
        options->gid_set = true;
        options->gid = (gid_t)number;
        return err;
    case WORD_UMASK:
        err = number_parse(word, 8, 0777, &number);
        options->umask = (mode_t)number;
        return err;
    default:
        err = number_parse(word, 10, 65536, &number);
        options->cache_bytes = (size_t)number << 20;
        return err;
    }
}

static int word_kernel(struct fs_options *options, const char *word)
{
    size_t used = strlen(options->kernel);

    if (used + strlen(word) + 2 > sizeof(options->kernel)) {
        cli_error("too many options");
        return -E2BIG;
    }
    sprintf(options->kernel + used, ",%s", word);
    return 0;
}

static int word_apply(struct fs_options *options, const char *given, bool sloppy)
{
    const struct word *word = word_find(given);
    bool *flag;

    if (!word && sloppy)
        return 0;
    if (!word) {
        cli_error("unknown option \"%s\"; --help lists those that there are", given);
        return -EINVAL;
    }
    flag = (bool *)((char *)options + word->offset);
    switch (word->kind) {
    case WORD_FLAG:
        *flag = true;
        return 0;
    case WORD_CLEAR:
        *flag = false;
        return 0;
    case WORD_BOTH:
        *flag = true;
        return word_kernel(options, given);
    case WORD_KERNEL:
        return word_kernel(options, given);
    case WORD_IGNORE:
        return 0;
    default:
        return word_value(options, word->kind, given);
    }
}

/* Splits at commas; what the words mean does not depend on earlier -o lists,
 * except that the last word wins. */
static int words_parse(struct fs_options *options, char *list, bool sloppy)
{
    char *rest = list;

    for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
        int err = *word ? word_apply(options, word, sloppy) : 0;

        if (err)
            return err;
    }
    return 0;
}

static void help_print(const char *program)
{
    printf("Usage: %s [OPTION...] DISC DIR\n"
           "       %s -u DIR\n"
           "Mounts the UDF volume on DISC, a packet-formatted CD-RW, on the folder DIR.\n"
           "DISC is a drive (/dev/sr0), a virtual disc (a folder), an image file or a block device.\n"
           "\n"
           "  -o WORD,...     ro                   read only\n"
           "                  noatime              do not record when files are read\n"
           "                  uid=N, gid=N         show N as the owner, the group of everything\n"
           "                  umask=OCTAL          take these permissions from everything\n"
           "                  allow_other          let other users in, too\n"
           "                  default_permissions  check permissions; always so\n"
           "                  cache=MIB            memory for data on its way to the disc (64)\n"
           "                  sync                 every change is on the disc when it returns\n"
           "                  realtime             a virtual drive takes as long as a real one\n"
           "                  and what mount(8) has for every file system\n"
           "  -f              stay in the foreground; Ctrl-C unmounts\n"
           "  -d              the same, and show every request\n"
           "  -u, --unmount   unmount DIR and wait until the disc is complete\n"
           "  -h, --help      this text\n"
           "  -V, --version   the version\n"
           "\n"
           "mount.packetfs takes what mount(8) gives it: DISC DIR [-sfnv] [-o WORD,...].\n"
           "Exit status: 0 mounted, 1 wrong usage or not permitted, 2 no memory or process to be had (with "
           "-f also:\n"
           "the disc could not be completed), 4 internal error, 8 interrupted, 32 not mounted.\n",
           program, program);
}

static int usage_error(const char *text)
{
    cli_error("%s; --help explains", text);
    return FS_EXIT_USAGE;
}

static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"unmount", no_argument, NULL, 'u'},
    {0},
};

/* packetfs itself. Returns 0, -errno (message printed), or 1 when there is nothing more to do. */
static int own_letter(struct fs_options *options, int letter)
{
    switch (letter) {
    case 'f':
        options->foreground = true;
        return 0;
    case 'd':
        options->foreground = options->debug = true;
        return 0;
    case 'u':
        options->unmount = true;
        return 0;
    default:
        return -EINVAL;
    }
}

/* mount(8) and umount(8) calling: -v, -n, -N, -t and -r change nothing here. */
static int mount_letter(struct fs_options *options, int letter, bool *sloppy)
{
    switch (letter) {
    case 's':
        *sloppy = true;
        return 0;
    case 'f':
        options->fake = options->force = true;
        return 0;
    case 'l':
        options->lazy = true;
        return 0;
    case 'n':
    case 'v':
    case 'r':
    case 'w':
    case 't':
        return 0;
    default:
        return -EINVAL;
    }
}

static int letters_parse(int argc, char **argv, struct fs_options *options, bool by_mount)
{
    bool sloppy = false;
    int letter, err = 0;

    while (!err && (letter = getopt_long(argc, argv, by_mount ? ":o:sfnvlrwt:hV" : ":o:fduhV", long_options,
                                         NULL)) != -1) {
        if (letter == 'h') {
            help_print("packetfs");
            return FS_EXIT_MOUNTED;
        }
        if (letter == 'V') {
            cli_version_print();
            return FS_EXIT_MOUNTED;
        }
        if (letter == ':') {
            cli_error("option \"%s\" needs a value; --help explains", argv[optind - 1]);
            return FS_EXIT_USAGE;
        }
        if (letter == '?' && optopt) {
            cli_error("unknown option \"-%c\"; --help lists those that there are", optopt);
            return FS_EXIT_USAGE;
        }
        if (letter == '?') {
            cli_error("unknown option \"%s\"; --help lists those that there are", argv[optind - 1]);
            return FS_EXIT_USAGE;
        }
        if (letter == 'o')
            err = words_parse(options, optarg, sloppy);
        else
            err = by_mount ? mount_letter(options, letter, &sloppy) : own_letter(options, letter);
    }
    return err ? FS_EXIT_USAGE : -1;
}

static int arguments_parse(int argc, char **argv, struct fs_options *options)
{
    int given = argc - optind;

    if (options->unmount) {
        if (given != 1)
            return usage_error("to unmount takes DIR alone");
        options->dir = argv[optind];
        return -1;
    }
    if (given < 2)
        return usage_error(given ? "DIR is missing" : "DISC and DIR are missing");
    if (given > 2) {
        cli_error("\"%s\" is one argument too many; --help explains", argv[optind + 2]);
        return FS_EXIT_USAGE;
    }
    options->disc = argv[optind];
    options->dir = argv[optind + 1];
    return -1;
}

int fs_options_parse(int argc, char **argv, struct fs_options *options)
{
    const char *program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    bool by_umount = !strncmp(program, "umount.", 7);
    bool by_mount = by_umount || !strncmp(program, "mount.", 6);
    int status;

    cli_program_set(by_mount ? program : "packetfs");
    *options = (struct fs_options){.unmount = by_umount};
    status = letters_parse(argc, argv, options, by_mount);
    return status == -1 ? arguments_parse(argc, argv, options) : status;
}
