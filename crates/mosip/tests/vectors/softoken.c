/* NSS's soft token as a PKCS#11 module like others: where its token lies is told in a field that only NSS has. */
#include <dlfcn.h>
#include <stdlib.h>

struct functions {
    unsigned char version[2];
    unsigned long (*initialize)(void *);
    void *rest[67];
};

struct arguments {
    void *mutexes[4];
    unsigned long flags;
    char *parameters;
    void *reserved;
};

static struct functions ours, *theirs;

static unsigned long initialize(void *ignored) {
    (void)ignored;
    struct arguments arguments = {{0}, 2 /* CKF_OS_LOCKING_OK */, getenv("CIVITAS_SOFTOKEN_PLACE"), 0};
    return theirs->initialize(&arguments);
}

unsigned long C_GetFunctionList(struct functions **list) {
    void *library = dlopen(getenv("CIVITAS_SOFTOKEN_LIBRARY"), RTLD_NOW);
    if (!library) return 5 /* CKR_GENERAL_ERROR */;
    unsigned long (*get)(struct functions **) = dlsym(library, "C_GetFunctionList");
    if (!get || get(&theirs)) return 5;
    ours = *theirs;
    ours.initialize = initialize;
    *list = &ours;
    return 0;
}
