/* A made-up driver of NVIDIA's: the functions of libcuda and of NVML that search calls.

   $MADE_UP_GPUS names a file with a line for each device, in the order of nvidia-smi:
     gpu UUID MEGABYTES MIG STATE      MIG: 0 or 1; STATE: well, lost, hang or a CUDA error's number
     slice UUID MEGABYTES GI CI        a part of the GPU above it
   CUDA_VISIBLE_DEVICES counts as CUDA's manual says. CUDA's order is that of the file, without the
   lost ones. The file is read at each start of a process, and by NVML at each call. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 64
typedef struct {
    int is_slice, mig, gi, ci, parent, is_lost, hangs, error;
    char uuid[40];
    unsigned long long bytes;
} Device;

static Device devices[MOST];
static int count, seen[MOST], seen_count;

static void load(void) {
    char line[200], state[16];
    int gpu = -1;
    FILE *file = fopen(getenv("MADE_UP_GPUS"), "r");
    count = 0;
    while (file && count < MOST && fgets(line, sizeof line, file)) {
        Device each = {0};
        unsigned long long mega;
        if (sscanf(line, "gpu %39s %llu %d %15s", each.uuid, &mega, &each.mig, state) == 4) {
            each.is_lost = !strcmp(state, "lost");
            each.hangs = !strcmp(state, "hang");
            each.error = atoi(state);
            each.parent = gpu = count;
        } else if (sscanf(line, "slice %39s %llu %d %d", each.uuid, &mega, &each.gi, &each.ci) == 4) {
            each.is_slice = 1;
            each.parent = gpu;
        } else {
            continue;
        }
        each.bytes = mega * 1000000ULL;
        devices[count++] = each;
    }
    if (file) fclose(file);
}

static int is_lost(int device) { return devices[devices[device].parent].is_lost; }

static int first_slice(int gpu) {
    for (int i = gpu + 1; i < count && devices[i].is_slice; i++) return i;
    return -1;
}

static int subject(int gpu) { return devices[gpu].mig ? first_slice(gpu) : gpu; }

/* The device of one name of CUDA_VISIBLE_DEVICES, -1 for none. */
static int named(const char *name) {
    char *end;
    int found = -1;
    if (!strncmp(name, "MIG-GPU-", 8)) {
        for (int i = 0; i < count; i++) {
            char full[120];
            snprintf(full, sizeof full, "MIG-GPU-%s/%d/%d", devices[devices[i].parent].uuid,
                     devices[i].gi, devices[i].ci);
            if (devices[i].is_slice && !strcmp(full, name)) return i;
        }
        return -1;
    }
    if (!strncmp(name, "GPU-", 4) || !strncmp(name, "MIG-", 4)) {
        for (int i = 0; i < count; i++) {
            if (devices[i].is_slice != (name[0] == 'M')) continue;
            if (strncmp(devices[i].uuid, name + 4, strlen(name + 4))) continue;
            if (found >= 0) return -1; /* ambiguous */
            found = i;
        }
        return found < 0 || is_lost(found) ? -1 : found;
    }
    long index = strtol(name, &end, 10);
    if (end == name || index < 0) return -1;
    for (int i = 0; i < count; i++)
        if (!devices[i].is_slice && !devices[i].is_lost && index-- == 0) return i;
    return -1;
}

int cuInit(unsigned flags) {
    (void)flags;
    load();
    seen_count = 0;
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    int slices = 0;
    if (!visible) {
        for (int i = 0; i < count; i++)
            if (devices[i].is_slice && !is_lost(i) && !slices++) seen[seen_count++] = i;
        for (int i = 0; i < count && !slices; i++)
            if (!devices[i].is_slice && !devices[i].is_lost && subject(i) >= 0) seen[seen_count++] = i;
    } else {
        char text[1000], *rest = text, *name;
        snprintf(text, sizeof text, "%s", visible);
        while ((name = strsep(&rest, ","))) {
            while (*name == ' ') name++;
            int gpu = named(name), device = gpu < 0 ? -1 : subject(gpu);
            if (gpu >= 0 && devices[gpu].is_slice) device = gpu;
            if (device < 0) break;
            int is_twice = 0;
            for (int i = 0; i < seen_count; i++) is_twice |= seen[i] == device;
            if (is_twice) { seen_count = 0; break; }
            if (devices[device].is_slice && slices++) continue; /* one slice a process */
            seen[seen_count++] = device;
        }
    }
    for (int i = 0; i < seen_count; i++)
        if (devices[devices[seen[i]].parent].hangs) pause();
    return seen_count ? 0 : 100;
}

int cuDeviceGetCount(int *number) { *number = seen_count; return 0; }
int cuDeviceGet(int *device, int ordinal) {
    if (ordinal < 0 || ordinal >= seen_count) return 101;
    *device = seen[ordinal];
    return 0;
}
int cuDeviceGetName(char *name, int length, int device) {
    snprintf(name, length, "Made-up %s", devices[device].is_slice ? "slice" : "GPU");
    return 0;
}
int cuDeviceGetUuid_v2(char *bytes, int device) {
    const char *text = devices[device].uuid;
    for (int i = 0; i < 16; text++)
        if (*text != '-') {
            unsigned value;
            sscanf(text, "%2x", &value);
            bytes[i++] = (char)value;
            text++;
        }
    return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = &devices[device];
    return devices[devices[device].parent].error;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)attribute, (void)device;
    *value = 0;
    return 0;
}
int cuDevicePrimaryCtxRelease_v2(int device) { (void)device; return 0; }

/* NVML. A handle is the place of a device plus one. */
typedef unsigned long Handle;
#define AT(handle) (devices[(handle)-1])
enum { NOT_SUPPORTED = 3, NOT_FOUND = 6, IS_LOST = 15 };

int nvmlInitWithFlags(unsigned flags) { (void)flags; load(); return 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == IS_LOST ? "GPU is lost" : "made-up error"; }

int nvmlDeviceGetCount_v2(unsigned *number) {
    *number = 0;
    for (int i = 0; i < count; i++) *number += !devices[i].is_slice;
    return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Handle *handle) {
    for (int i = 0; i < count; i++)
        if (!devices[i].is_slice && index-- == 0) {
            *handle = i + 1;
            return devices[i].is_lost ? IS_LOST : 0;
        }
    return NOT_FOUND;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, Handle *handle) {
    for (int i = 0; i < count; i++)
        if (devices[i].is_slice == (uuid[0] == 'M') && !strcmp(devices[i].uuid, uuid + 4)) {
            *handle = i + 1;
            return is_lost(i) ? IS_LOST : 0;
        }
    return NOT_FOUND;
}
int nvmlDeviceGetUUID(Handle handle, char *uuid, unsigned length) {
    snprintf(uuid, length, "%s-%s", AT(handle).is_slice ? "MIG" : "GPU", AT(handle).uuid);
    return 0;
}
int nvmlDeviceGetIndex(Handle handle, unsigned *index) {
    *index = 0;
    for (unsigned long i = 0; i + 1 < handle; i++) *index += !devices[i].is_slice;
    return 0;
}
int nvmlDeviceGetMigMode(Handle handle, unsigned *now, unsigned *later) {
    *now = *later = AT(handle).mig;
    return 0;
}
int nvmlDeviceGetMaxMigDeviceCount(Handle handle, unsigned *most) { (void)handle; *most = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(Handle gpu, unsigned index, Handle *slice) {
    for (int i = (int)gpu; i < count && devices[i].is_slice; i++)
        if (index-- == 0) { *slice = i + 1; return 0; }
    return NOT_FOUND;
}
int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(Handle slice, Handle *gpu) {
    if (!AT(slice).is_slice) return NOT_SUPPORTED;
    *gpu = AT(slice).parent + 1;
    return 0;
}
int nvmlDeviceGetGpuInstanceId(Handle slice, unsigned *id) { *id = AT(slice).gi; return 0; }
int nvmlDeviceGetComputeInstanceId(Handle slice, unsigned *id) { *id = AT(slice).ci; return 0; }
int nvmlDeviceGetMemoryInfo(Handle handle, unsigned long long *memory) {
    memory[0] = memory[1] = AT(handle).bytes; /* total, free, used */
    memory[2] = 0;
    return 0;
}
int nvmlDeviceGetName(Handle handle, char *name, unsigned length) {
    snprintf(name, length, "Made-up %s", AT(handle).is_slice ? "slice" : "GPU");
    return 0;
}
