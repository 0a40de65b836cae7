/* Sending to very many sockets in one system call: Linux's io_uring, where the kernel has it and lets us.
 *
 * Rule: when send_many returns, every send of it has ended: the kernel holds no pointer of ours, and whatever a
 * socket did not take at once is the caller's again. So it is one call for the caller, not an event loop.
 *
 * Every send says MSG_DONTWAIT, so the kernel makes it while it takes it in (io_uring_enter(2)), in the order of the
 * queue, and what has no room ends with EAGAIN at once. The ring is written here by hand, as io_uring(7) tells, for
 * liburing is on few machines and what is needed of it is little.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 256 /* a power of two */
#define FEW 4       /* sends that cost less by themselves than with a ring */
#define FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL)

typedef struct {
    int descriptor;
    const char *data;
    Py_ssize_t size;
    Py_ssize_t taken;
} Send;

typedef struct {
    PyObject_HEAD
    int ring; /* its descriptor, -1: there is none */
    unsigned *sent_head, *sent_tail, *done_head, *done_tail, sent_mask, done_mask;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *done;
    void *queues; /* what is mapped */
    size_t queues_size, entries_size;
} Sender;

static void close_ring(Sender *self) {
    if (self->ring < 0) return;
    if (self->entries) munmap(self->entries, self->entries_size);
    if (self->queues) munmap(self->queues, self->queues_size);
    close(self->ring);
    self->ring = -1;
}

static void *map(Sender *self, size_t size, off_t what) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, self->ring, what);
    return at == MAP_FAILED ? NULL : at;
}

/* Without success there is no ring, which is no error: containers often forbid it. */
static void open_ring(Sender *self) {
    struct io_uring_params ring = {0};
    self->ring = syscall(__NR_io_uring_setup, ENTRIES, &ring);
    if (self->ring < 0) return;
    /* FAST_POLL: Linux 5.7, the oldest that this is written for. */
    if (!(ring.features & IORING_FEAT_FAST_POLL) || !(ring.features & IORING_FEAT_SINGLE_MMAP)) {
        close_ring(self);
        return;
    }
    size_t sent = ring.sq_off.array + ring.sq_entries * sizeof(unsigned);
    size_t done = ring.cq_off.cqes + ring.cq_entries * sizeof(struct io_uring_cqe);
    self->queues_size = sent > done ? sent : done;
    self->entries_size = ring.sq_entries * sizeof(struct io_uring_sqe);
    self->queues = map(self, self->queues_size, IORING_OFF_SQ_RING);
    self->entries = map(self, self->entries_size, IORING_OFF_SQES);
    if (!self->queues || !self->entries) {
        close_ring(self);
        return;
    }
    char *at = self->queues;
    self->sent_head = (unsigned *)(at + ring.sq_off.head);
    self->sent_tail = (unsigned *)(at + ring.sq_off.tail);
    self->done_head = (unsigned *)(at + ring.cq_off.head);
    self->done_tail = (unsigned *)(at + ring.cq_off.tail);
    self->sent_mask = ring.sq_entries - 1;
    self->done_mask = ring.cq_entries - 1;
    self->done = (struct io_uring_cqe *)(at + ring.cq_off.cqes);
    unsigned *places = (unsigned *)(at + ring.sq_off.array);
    for (unsigned k = 0; k < ring.sq_entries; k++) places[k] = k;
}

static void send_singly(Send *sends, size_t count) {
    for (size_t k = 0; k < count; k++) {
        ssize_t taken = send(sends[k].descriptor, sends[k].data, sends[k].size, FLAGS);
        sends[k].taken = taken < 0 ? 0 : taken;
    }
}

/* At most ENTRIES sends. Gives how many of them were made, from the first on. */
static size_t send_by_ring(Sender *self, Send *sends, size_t count) {
    unsigned first = *self->sent_tail;
    for (unsigned k = 0; k < count; k++) {
        struct io_uring_sqe *entry = &self->entries[(first + k) & self->sent_mask];
        memset(entry, 0, sizeof *entry);
        entry->opcode = IORING_OP_SEND;
        entry->fd = sends[k].descriptor;
        entry->addr = (uintptr_t)sends[k].data;
        entry->len = sends[k].size;
        entry->msg_flags = FLAGS;
        entry->user_data = k;
    }
    __atomic_store_n(self->sent_tail, first + (unsigned)count, __ATOMIC_RELEASE);
    size_t ended = 0;
    while (ended < count) {
        unsigned taken_in = __atomic_load_n(self->sent_head, __ATOMIC_ACQUIRE) - first;
        long entered = syscall(__NR_io_uring_enter, self->ring, count - taken_in, count - ended,
                               IORING_ENTER_GETEVENTS, NULL, 0);
        if (entered < 0 && errno != EINTR) {
            /* The kernel looks at the queue only while it is entered: what it left there is taken back. */
            count = __atomic_load_n(self->sent_head, __ATOMIC_ACQUIRE) - first;
            __atomic_store_n(self->sent_tail, first + (unsigned)count, __ATOMIC_RELEASE);
        }
        unsigned head = *self->done_head, tail = __atomic_load_n(self->done_tail, __ATOMIC_ACQUIRE);
        for (; head != tail; head++, ended++) {
            struct io_uring_cqe *done = &self->done[head & self->done_mask];
            sends[done->user_data].taken = done->res < 0 ? 0 : done->res;
        }
        __atomic_store_n(self->done_head, head, __ATOMIC_RELEASE);
    }
    return count;
}

static void send_all(Sender *self, Send *sends, size_t count) {
    for (size_t at = 0; at < count;) {
        size_t slice = count - at < ENTRIES ? count - at : ENTRIES;
        size_t made = self->ring >= 0 && slice > FEW ? send_by_ring(self, sends + at, slice) : 0;
        send_singly(sends + at + made, slice - made);
        at += slice;
    }
}

/* Pairs of place and bytes taken, of those that took less than all. */
static PyObject *cut_short(const Send *sends, size_t count) {
    PyObject *found = PyList_New(0);
    for (size_t k = 0; found && k < count; k++) {
        if (sends[k].taken == sends[k].size) continue;
        PyObject *pair = Py_BuildValue("(nn)", (Py_ssize_t)k, sends[k].taken);
        if (!pair || PyList_Append(found, pair)) Py_CLEAR(found);
        Py_XDECREF(pair);
    }
    return found;
}

/* Fills `sends` from both tuples; 0 if they hold what they should. */
static int read_sends(PyObject *descriptors, PyObject *frames, Send *sends, Py_ssize_t count) {
    for (Py_ssize_t k = 0; k < count; k++) {
        long descriptor = PyLong_AsLong(PyTuple_GET_ITEM(descriptors, k));
        if (descriptor == -1 && PyErr_Occurred()) return -1;
        if (descriptor < 0 || descriptor > INT_MAX) {
            PyErr_Format(PyExc_ValueError, "%ld is no descriptor", descriptor);
            return -1;
        }
        PyObject *frame = PyTuple_GET_ITEM(frames, k);
        if (!PyBytes_Check(frame)) {
            PyErr_Format(PyExc_TypeError, "a frame is bytes, not %.80s", Py_TYPE(frame)->tp_name);
            return -1;
        }
        sends[k] = (Send){(int)descriptor, PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame), 0};
    }
    return 0;
}

static PyObject *send_many(Sender *self, PyObject *const *words, Py_ssize_t word_count) {
    if (word_count != 2 || !PyList_Check(words[0]) || !PyList_Check(words[1]))
        return PyErr_Format(PyExc_TypeError, "send_many takes a list of descriptors and one of frames");
    Py_ssize_t count = PyList_GET_SIZE(words[0]);
    if (PyList_GET_SIZE(words[1]) != count)
        return PyErr_Format(PyExc_ValueError, "%zd descriptors, but %zd frames", count, PyList_GET_SIZE(words[1]));
    /* Copies: they hold the frames while other threads run. */
    PyObject *descriptors = PyList_AsTuple(words[0]), *frames = PyList_AsTuple(words[1]), *found = NULL;
    Send *sends = PyMem_New(Send, count ? count : 1);
    if (!sends) PyErr_NoMemory();
    if (descriptors && frames && sends && !read_sends(descriptors, frames, sends, count)) {
        Py_BEGIN_ALLOW_THREADS
        send_all(self, sends, count);
        Py_END_ALLOW_THREADS
        found = cut_short(sends, count);
    }
    PyMem_Free(sends);
    Py_XDECREF(descriptors);
    Py_XDECREF(frames);
    return found;
}

static PyObject *sender_new(PyTypeObject *type, PyObject *words, PyObject *named) {
    static char *names[] = {"ring", NULL};
    int ring = 1;
    if (!PyArg_ParseTupleAndKeywords(words, named, "|$p:Sender", names, &ring)) return NULL;
    Sender *self = (Sender *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->ring = -1;
    if (ring) open_ring(self);
    return (PyObject *)self;
}

static void sender_dealloc(Sender *self) {
    PyTypeObject *type = Py_TYPE(self);
    close_ring(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *has_ring(Sender *self, void *unused) { return PyBool_FromLong(self->ring >= 0); }

static PyMethodDef sender_methods[] = {
    {"send_many", (PyCFunction)(void (*)(void))send_many, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef sender_values[] = {
    {"has_ring", (getter)has_ring, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot sender_slots[] = {
    {Py_tp_new, sender_new},
    {Py_tp_dealloc, sender_dealloc},
    {Py_tp_methods, sender_methods},
    {Py_tp_getset, sender_values},
    {0, NULL},
};
static PyType_Spec sender_spec = {
    .name = "jayx_stream.doors._sending.Sender",
    .basicsize = sizeof(Sender),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = sender_slots,
};

static int fill_module(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &sender_spec, NULL);
    int failed = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return failed;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};
static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "jayx_stream.doors._sending", .m_slots = module_slots};

PyMODINIT_FUNC PyInit__sending(void) { return PyModuleDef_Init(&module); }
