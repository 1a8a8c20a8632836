"""Trains Boardsharp's networks for a fixed time, on one trunk, on shards made by dataset.py.

/usr/bin/python3 training/train.py --exits 2:6 2:12 4:12 --minutes 90 --out /tmp/trunk.pt \\
    --shards /tmp/boards-x4 /tmp/boards-x2 --valid /tmp/boards-val-x2 /tmp/boards-val-x4
Stopped early? The same command with --resume goes on where the last checkpoint was.
"""
import argparse
import copy
import functools
import json
import math
import os
import time

import numpy as np
import torch
from torch.nn import functional

import model
import recogniser
from model import bicubic, luma


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    # What and where
    parser.add_argument("--exits", nargs="+", required=True, metavar="SCALE:BLOCKS",
                        help="the networks: their scale, and after how many blocks they leave")
    parser.add_argument("--shards", nargs="+", required=True,
                        help="folders of dataset.py; one that is not ready yet is picked up later; "
                             "one of x4 teaches x2 too")
    parser.add_argument("--valid", nargs="+", required=True, help="shards for validation")
    parser.add_argument("--out", required=True, help="checkpoint to write")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint --out")
    parser.add_argument("--start", help="checkpoint to begin with: a trunk's, "
                        "or a network's of the highest scale")
    # How long and how fast
    parser.add_argument("--minutes", type=float, default=90, help="wall clock, sets the schedule")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    parser.add_argument("--warmup", type=int, default=500, help="steps until that rate")
    parser.add_argument("--batch", type=int, default=16, help="patches in a step")
    parser.add_argument("--crop", type=int, default=48, help="photo pixels of a patch's side")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--no-bf16", action="store_true", help="fp32 throughout")
    parser.add_argument("--seed", type=int, default=7, help="seed of the random numbers")
    # The network and its loss
    parser.add_argument("--channels", type=int, default=64, help="width: 48 or 64")
    parser.add_argument("--ink", type=float, default=3.0, help="extra weight of ink")
    parser.add_argument("--epsilon", type=float, default=0.2,
                        help="errors below this count squared: small, the network learns the "
                             "median; large, the mean, which keeps uncertain strokes grey")
    parser.add_argument("--gradient", type=float, default=0.1, help="weight of the gradient loss")
    parser.add_argument("--recogniser", help="checkpoint of train_recogniser.py")
    parser.add_argument("--reading", type=float, default=0.002,
                        help="weight of how differently it reads result and truth, in nats")
    # What is written down
    parser.add_argument("--every", type=int, default=500, help="steps between validations")
    parser.add_argument("--save-minutes", type=float, default=3, help="between checkpoints")
    return parser.parse_args()


class Shard:
    """Patches of one dataset.py folder, mapped from disk."""

    def __init__(self, folder):
        with open(os.path.join(folder, "shard.json"), encoding="utf-8") as notes:
            about = json.load(notes)
        self.count, self.patch, self.scale = about["count"], about["patch"], about["scale"]
        side = self.patch * self.scale
        self.photos = np.memmap(os.path.join(folder, "photo.u8"), np.uint8, "r",
                                shape=(self.count, self.patch, self.patch, 3))
        self.truths = np.memmap(os.path.join(folder, "truth.u8"), np.uint8, "r",
                                shape=(self.count, side, side, 4))

    def pair(self, index, crop, rng):
        """One random crop, turned, mirrored, inverted, its colours exchanged."""
        top, left = rng.integers(0, self.patch - crop + 1, 2)
        s = self.scale
        photo = self.photos[index, top:top + crop, left:left + crop]
        truth = self.truths[index, top * s:(top + crop) * s, left * s:(left + crop) * s]
        turns, flip = rng.integers(4), rng.integers(2)
        photo, truth = np.rot90(photo, turns), np.rot90(truth, turns)
        if flip:
            photo, truth = photo[:, ::-1], truth[:, ::-1]
        ink, truth = truth[..., 3], truth[..., :3]
        if rng.random() < 0.25:
            photo, truth = 255 - photo, 255 - truth
        if rng.random() < 0.3:
            order = rng.permutation(3)
            photo, truth = photo[..., order], truth[..., order]
        return photo, truth, ink


def batch(shards, size, crop, rng):
    """Random patches of one shard, chosen by its share, as float tensors, and its scale."""
    counts = np.array([shard.count for shard in shards], np.float64)
    shard = shards[rng.choice(len(shards), p=counts / counts.sum())]
    pairs = [shard.pair(rng.integers(shard.count), crop, rng) for _ in range(size)]
    photo, truth, ink = (np.ascontiguousarray(np.stack(part)) for part in zip(*pairs))
    photo, truth = (torch.from_numpy(part).permute(0, 3, 1, 2).float().div(255)
                    for part in (photo, truth))
    return photo, truth, torch.from_numpy(ink > 0)[:, None].float(), shard.scale


def charbonnier(error, epsilon):
    """Square of a small error, absolute value of a large one, of the same slope where they meet."""
    return torch.sqrt(error ** 2 + epsilon ** 2) - epsilon


def loss_of(result, truth, ink, scale, args):
    """Charbonnier on colours and on gradients, weighted where writing is.

    Faint writing counts as much as firm: a reader brings every line to full contrast.
    """
    # The weight covers letters with their gaps: more weight on ink than on the gap beside it
    # would teach the network to darken whatever it is not sure of.
    near = functional.max_pool2d(ink, scale)
    near = functional.max_pool2d(near, 5, 1, 2)
    weight = 1 + args.ink * functional.interpolate(near, scale_factor=scale)
    contrast = truth.mean(1).flatten(1).std(1).clamp(min=0.1)
    weight = weight / (0.1 + contrast)[:, None, None, None]
    weight = weight / weight.mean()
    error = result - truth
    value = (charbonnier(error, args.epsilon) * weight).mean()
    if args.gradient:
        across = charbonnier(error[..., 1:] - error[..., :-1], args.epsilon) * weight[..., 1:]
        down = error[..., 1:, :] - error[..., :-1, :]
        down = charbonnier(down, args.epsilon) * weight[..., 1:, :]
        value = value + args.gradient * (across.mean() + down.mean())
    return value


def loss_at(network, recognising, photo, truth, ink, scale, args):
    """The loss of every exit that `truth`, of `scale`, can teach, one after the other."""
    def fast(module, *inputs):
        with torch.autocast(args.device, torch.bfloat16, enabled=not args.no_bf16):
            return module(*inputs)

    scales = (2, 4) if scale == 4 else (2,)
    corrections = fast(network, photo.contiguous(memory_format=torch.channels_last), scales)
    goals = {scale: (truth, ink)}
    if scale == 4:
        goals[2] = functional.avg_pool2d(truth, 2), functional.max_pool2d(ink, 2)
    losses = []
    for (wanted, _), correction in corrections.items():
        result = bicubic(photo, wanted) + correction.float()
        loss = loss_of(result, *goals[wanted], wanted, args)
        if recognising:
            loss = loss + args.reading * recogniser.disagreement(
                functools.partial(fast, recognising), result, *goals[wanted], wanted)
        losses.append(loss)
    return losses


def validate(network, shard, limit=240, size=40):
    """Mean PSNR on Y over patches: bicubic, a BoardNet; then the same where ink is."""
    scores = []
    device = next(network.parameters()).device
    for first in range(0, min(limit, shard.count), size):
        # Evenly spread, so that every board of the shard is seen.
        rows = np.linspace(0, shard.count - 1, limit).astype(int)[first:first + size]
        photo = torch.from_numpy(shard.photos[rows]).permute(0, 3, 1, 2).float().div(255)
        truth = torch.from_numpy(shard.truths[rows]).permute(0, 3, 1, 2).float()
        photo, ink, truth = photo.to(device), truth[:, 3] > 0, truth[:, :3].div(255)
        base = bicubic(photo, shard.scale)
        with torch.no_grad():
            result = base + network(photo)
        for image in (base, result):
            error = (luma(image.clamp(0, 1).cpu()) - luma(truth)) ** 2
            whole = error.mean((1, 2))
            inked = (error * ink).sum((1, 2)) / ink.sum((1, 2)).clamp(min=1)
            scores.append(torch.stack([whole, torch.where(ink.sum((1, 2)) > 50, inked,
                                                          torch.full_like(inked, np.nan))]))
    both = [torch.cat(scores[i::2], 1).clamp(min=1e-7) for i in (0, 1)]
    return [float(torch.nanmean(-10 * torch.log10(part[row]))) for row in (0, 1) for part in both]


def set_rate(optimizer, step, done, args):
    """A cosine from args.rate to almost nothing over `done` 0..1, its first steps smaller; returns
    the rate without that."""
    rate = 1e-6 + (args.rate - 1e-6) * 0.5 * (1 + math.cos(math.pi * done))
    for group in optimizer.param_groups:
        group["lr"] = rate * min(1, (step + 1) / args.warmup)
    return rate


def begin(network, path):
    """Takes over another trunk's averaged weights, or a network's of the highest scale."""
    saved = torch.load(path, map_location="cpu")
    if "exits" in saved["settings"]:
        network.load_state_dict(saved["ema"])
    else:
        network.begin_with(model.load(path)[0])


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    exits = [tuple(map(int, pair.split(":"))) for pair in args.exits]
    recognising = None
    if args.recogniser:
        recognising = recogniser.load(args.recogniser).to(args.device)
        recognising = recognising.to(memory_format=torch.channels_last)
    network = model.Exits(exits, args.channels)
    if args.start:
        begin(network, args.start)
    network = network.to(args.device).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.Adam(network.parameters(), args.rate, betas=(0.9, 0.99))
    step, spent = 0, 0.0
    if args.resume:
        saved = torch.load(args.out, map_location="cpu")
        network.load_state_dict(saved["weights"])
        average.load_state_dict(saved["ema"])
        optimizer.load_state_dict(saved["optimizer"])
        step, spent = saved["step"], saved["minutes"]
    rng = np.random.default_rng(args.seed + step)
    valid, shards, known = [Shard(folder) for folder in args.valid], [], set()
    count = sum(parameter.numel() for parameter in network.parameters())
    print(f"{' '.join(args.exits)}, {count} parameters, seed {args.seed}, from step {step}, "
          f"{args.minutes} minutes", flush=True)
    started, saved_at, total = time.time() - spent * 60, time.time(), 0.0
    while True:
        minutes = (time.time() - started) / 60
        done = min(1.0, minutes / args.minutes)
        if step % 100 == 0 or not shards:
            for folder in args.shards:
                # shard.json is written last: a shard still being made has none.
                if folder not in known and os.path.exists(os.path.join(folder, "shard.json")):
                    known.add(folder)
                    shards.append(Shard(folder))
                    if not any(pair[0] <= shards[-1].scale for pair in exits):
                        raise SystemExit(f"{folder} is of x{shards[-1].scale}, which none of "
                                         f"{' '.join(args.exits)} can learn from")
                    print(f"shard {folder}: {shards[-1].count} patches", flush=True)
        rate = set_rate(optimizer, step, done, args)
        *tensors, scale = batch(shards, args.batch, args.crop, rng)
        losses = loss_at(network, recognising, *(part.to(args.device) for part in tensors), scale,
                         args)
        loss = sum(losses)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step, total = step + 1, total + float(loss) / len(losses)
        with torch.no_grad():
            # A short memory at first, or the average would lag behind the first steps.
            memory = min(0.999, (step + 1) / (step + 10))
            for mean, now in zip(average.parameters(), network.parameters()):
                mean.lerp_(now, 1 - memory)
        if step % args.every == 0 or done >= 1:
            seen = (step - 1) % args.every + 1
            print(f"step {step} {minutes:.1f} min rate {rate:.2e} loss {total / seen:.5f}", end="")
            for pair in exits:
                for shard in valid:
                    if shard.scale == pair[0]:
                        base, psnr, base_ink, ink_psnr = validate(average.part(*pair), shard)
                        print(f" | x{pair[0]} after {pair[1]}: psnr {psnr:.2f} ({base:.2f}) "
                              f"ink {ink_psnr:.2f} ({base_ink:.2f})", end="")
            print(flush=True)
            total = 0.0
        if time.time() - saved_at > args.save_minutes * 60 or done >= 1:
            state = {"settings": network.settings, "weights": network.state_dict(),
                     "ema": average.state_dict(), "optimizer": optimizer.state_dict(),
                     "step": step, "minutes": minutes, "arguments": vars(args)}
            torch.save(state, args.out + ".part")
            os.replace(args.out + ".part", args.out)
            saved_at = time.time()
        if done >= 1:
            return


if __name__ == "__main__":
    main()
