/* Presses buttons of the kernel's gpio-sim as bad contacts do: press FOLDER LINES COUNT HOLD_MS GAP_MS REGISTERS.
 * Each line is pressed COUNT times by a thread of its own; every change bounces for up to 8 ms. Pressed is
 * low. REGISTERS is a file that stands for a BCM2837's; its levels are kept true. A finger is no slower because
 * the machine is busy, so the threads go before everything else there. Prints in how many presses they were held
 * up all the same, for so long that a bounce was none. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char *folder;
static int count, hold, gap;
/* GPLEV0: the levels of lines 0 to 31. */
static _Atomic unsigned int *levels;
static atomic_int stalled;
/* Of the 30 ms a level has to stay to count. */
#define SHORT_MS 20

static void rest(long micros) {
	struct timespec t = { micros / 1000000, micros % 1000000 * 1000 };
	nanosleep(&t, NULL);
}

static long long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void set(int line, unsigned int bit, int pressed) {
	const char *pull = pressed ? "pull-down" : "pull-up";
	/* First what is read, then the edge that has it read. */
	if (pressed)
		atomic_fetch_and(levels, ~bit);
	else
		atomic_fetch_or(levels, bit);
	if (pwrite(line, pull, strlen(pull), 0) < 0) {
		perror("pull");
		exit(1);
	}
}

static void *work(void *arg) {
	long number = (long)arg;
	unsigned int seed = 1 + number;
	char path[256];
	snprintf(path, sizeof path, "%s/sim_gpio%ld/pull", folder, number);
	int line = open(path, O_WRONLY);
	if (line < 0) {
		perror(path);
		exit(1);
	}
	/* Not all at once. */
	rest(rand_r(&seed) % (1000L * (hold + gap)));
	for (int i = 0; i < count; i++)
		for (int pressed = 1; pressed >= 0; pressed--) {
			long long before = now(), longest = 0;
			for (int bounce = rand_r(&seed) % 6; bounce >= 0; bounce--) {
				set(line, 1u << number, bounce > 0 ? rand_r(&seed) % 2 : pressed);
				long long then = now();
				if (then - before > longest)
					longest = then - before;
				before = then;
				if (bounce > 0)
					rest(rand_r(&seed) % 1300);
			}
			if (longest > SHORT_MS)
				stalled++;
			rest(1000L * (pressed ? hold : gap));
		}
	return NULL;
}

int main(int argc, char **argv) {
	if (argc != 7)
		return 2;
	int registers = open(argv[6], O_RDWR);
	char *mapped = registers < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, registers, 0);
	if (mapped == MAP_FAILED) {
		perror(argv[6]);
		return 1;
	}
	levels = (_Atomic unsigned int *)(mapped + 0x34);
	struct sched_param first = { .sched_priority = 60 };
	if (sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		perror("priority");
	folder = argv[1];
	int lines = atoi(argv[2]);
	count = atoi(argv[3]);
	hold = atoi(argv[4]);
	gap = atoi(argv[5]);
	pthread_t threads[32];
	for (long i = 0; i < lines && i < 32; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < lines && i < 32; i++)
		pthread_join(threads[i], NULL);
	printf("%d\n", stalled);
	return 0;
}
